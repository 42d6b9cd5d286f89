"""The chat page: Gradio handlers, rendering, and what belongs to one visitor."""
