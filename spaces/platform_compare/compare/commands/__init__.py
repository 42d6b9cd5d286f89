"""The commands of `python -m compare`: run, report, canary, import and conformance."""
