"""Reads tables in text files: CSV and TSV."""
