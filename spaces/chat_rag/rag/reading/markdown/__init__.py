"""The Markdown that documents are stored as, and the writer that every reader but those of PDFs and CSV files calls."""
