"""Reads reStructuredText as Markdown, with its tables as structure."""
