"""Asks a judge, a target, which of two answers to a question is better."""
