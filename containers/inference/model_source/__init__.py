"""The model that the server serves: where it is found, and its download."""
