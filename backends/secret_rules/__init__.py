"""Finds secrets in texts by the shapes of the tokens of many services."""
