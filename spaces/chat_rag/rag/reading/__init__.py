"""Turns uploaded files into documents and chunks."""
