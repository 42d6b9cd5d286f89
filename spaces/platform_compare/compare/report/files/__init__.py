"""Reports as files: JSON and Markdown, one HTML page, and rows of a dataset."""
