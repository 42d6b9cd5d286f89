"""The layout of a PDF page: its words by position become lines, columns of prose, and tables."""
