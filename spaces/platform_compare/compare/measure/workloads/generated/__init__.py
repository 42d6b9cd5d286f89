"""Workloads that are generated from a seed: lengths from distributions, shared prefixes, passages, conversations."""
