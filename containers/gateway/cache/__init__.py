"""Exact answers to requests with temperature 0, and one stream for equal requests at the same moment."""
