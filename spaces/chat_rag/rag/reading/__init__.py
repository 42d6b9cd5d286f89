"""Reads uploaded files into documents and chunks."""
