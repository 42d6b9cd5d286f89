"""The commands of `python -m compare`: run, report, canary, capacity and score."""
