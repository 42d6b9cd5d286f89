"""Retrieval-augmented answers with citations, without Gradio."""
