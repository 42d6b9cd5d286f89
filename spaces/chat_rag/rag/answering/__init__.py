"""Answers a question with citations: retrieval, prompt, stream, citations."""
