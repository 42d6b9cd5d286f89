"""Readers of file formats: each turns the bytes of one kind of file into a document."""
