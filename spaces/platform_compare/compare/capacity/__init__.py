"""How many users, or requests per second, a target holds at a service level: an adaptive search over the load."""
