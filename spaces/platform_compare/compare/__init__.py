"""Measures backends against each other and reports the result, without Gradio."""
