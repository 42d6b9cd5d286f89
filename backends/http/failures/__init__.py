"""Failures of servers: what an HTTP error or its words are about, and which of our errors it becomes."""
