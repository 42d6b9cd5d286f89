"""The keys of clients: made, stored as hashes, looked up."""
