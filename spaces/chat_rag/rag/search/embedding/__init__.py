"""Turns texts into vectors: with onnxruntime, with sentence-transformers, or by a target of the catalogue."""
