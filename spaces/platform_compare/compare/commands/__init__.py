"""The commands of `python -m compare`: run, report, canary and import."""
