"""Builds, runs, checks and locks the images: `python -m containers build|run|check|up|down|lock|pin`."""
