"""Thoughts of models: recognized in the stream, or by what a server says of its template."""
