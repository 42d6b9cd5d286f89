"""Retrieval-augmented answers with citations, independent of Gradio."""
