"""Takes pictures of every state of the pages; `scripts/screenshots.py` runs it."""
