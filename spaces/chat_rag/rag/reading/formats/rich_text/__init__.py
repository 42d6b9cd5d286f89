"""Reads RTF documents: a reader goes through the words of a file, and its blocks are paragraphs and tables."""
