"""The commands of python -m backends: a module for each, or for those that belong together."""
