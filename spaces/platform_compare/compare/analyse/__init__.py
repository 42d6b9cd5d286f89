"""Derives metrics, statistics, verdicts and costs from recorded runs."""
