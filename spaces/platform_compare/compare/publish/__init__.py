"""Publishes the results of a run on the Hugging Face Hub, and reads what others published there."""
