"""Measures backends against each other and reports the results, without Gradio."""
