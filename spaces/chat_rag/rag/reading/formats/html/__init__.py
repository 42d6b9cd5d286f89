"""Reads HTML: what a visitor of the page sees, as Markdown with tables as structure."""
