"""The HTTP side of the server: limits and parsing of requests, formats of answers and errors."""
