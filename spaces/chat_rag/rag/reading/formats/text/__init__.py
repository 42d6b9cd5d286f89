"""Reads text files: their encoding, and plain text in several forms."""
