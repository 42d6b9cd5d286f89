"""The chat page: Gradio handlers, rendering, and the data of each visitor."""
