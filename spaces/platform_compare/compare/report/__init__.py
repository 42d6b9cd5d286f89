"""Presents an analysed run as text, tables, charts and HTML."""
