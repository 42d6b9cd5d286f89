"""The Markdown that documents are stored as: headings, lists, tables with the spans of their cells."""
