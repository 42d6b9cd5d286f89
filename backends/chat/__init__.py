"""The OpenAI chat format, for clients and servers: requests, events and reasoning."""
