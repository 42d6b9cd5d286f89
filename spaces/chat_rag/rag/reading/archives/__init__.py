"""Finds the documents in folders and ZIP archives, within limits."""
