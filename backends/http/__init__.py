"""The HTTP client that every backend kind shares: connections, endpoints, errors and timestamps."""
