"""Workloads: the prompts of a run, built in, generated, or from the user's file."""
