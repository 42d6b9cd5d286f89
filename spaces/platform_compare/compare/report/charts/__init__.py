"""The charts of a run, and the style and the colours of targets that they share."""
