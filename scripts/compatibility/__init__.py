"""Tries our client against real servers and real clients against our server; `scripts/conformance.py` runs it."""
