"""Scores load tools against a server that knows when it sent each text."""
