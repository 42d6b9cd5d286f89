"""Builds, runs and checks the images: `python -m containers build|run|check|up|down`."""
