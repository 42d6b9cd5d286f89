"""The OpenAI chat format in both directions: events, requests and reasoning."""
