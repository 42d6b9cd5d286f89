"""Documents to read and search: made ones of any number, a public collection, and PDFs."""
