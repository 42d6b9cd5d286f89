"""Checks the sentences of an answer against the passages: figures, dates, names and quoted words, in their roles."""
