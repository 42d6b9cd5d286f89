"""Finds chunks by meaning (embeddings) and by words (BM25)."""
