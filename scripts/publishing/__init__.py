"""Publishes the apps of this repository to Hugging Face Spaces: `publish_space.py` is its command line."""
