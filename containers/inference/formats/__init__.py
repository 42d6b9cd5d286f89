"""The API formats of the server: each reads a body into chat requests, and writes the events of their answers."""
