"""The comparator's page, in Gradio."""
