"""The HTTP client that every kind shares: connections, endpoints, errors and timestamps."""
