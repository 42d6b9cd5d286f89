"""Text recognition with the real engines."""
