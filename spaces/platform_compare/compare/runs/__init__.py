"""Stored runs: their records, the file of a run, its validation, and the merging of several clients."""
