"""Turns and documents as Markdown, messages and HTML."""
