"""The commands of `python -m compare`: run, report and canary."""
