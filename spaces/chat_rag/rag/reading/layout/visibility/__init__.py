"""Finds the words of a PDF page that nobody can see: invisible, clipped away or covered."""
