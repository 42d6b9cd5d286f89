"""Libraries that are built ahead of time, as a folder that a page loads and never changes."""
