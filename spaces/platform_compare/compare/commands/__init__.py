"""The commands of `python -m compare`: run, report, canary, capacity, score, import, merge and conformance."""
