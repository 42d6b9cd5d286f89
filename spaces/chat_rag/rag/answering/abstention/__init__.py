"""Decides whether the documents answer a question, and says why not."""
