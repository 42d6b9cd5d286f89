"""The HTTP client that every backend kind shares: connections, endpoints, timestamps, and errors before the answer."""
