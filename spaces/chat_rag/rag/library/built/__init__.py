"""Libraries that are built ahead, as a folder that a page loads and never changes."""
