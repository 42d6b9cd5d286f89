"""Reads PDF files; `layout` beside it finds what a page has where."""
