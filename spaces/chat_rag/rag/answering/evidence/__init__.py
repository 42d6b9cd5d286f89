"""Quotes the document's own words that answer a question, or says why no document answers it."""
