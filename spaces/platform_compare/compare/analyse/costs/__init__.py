"""Prices of machines and tokens, and what requests cost."""
