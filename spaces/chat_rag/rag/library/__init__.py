"""Stores a visitor's documents and keeps them searchable."""
