"""Whose answers are right: shares, paired differences, and what judges say."""
