"""Finds secrets in files of every kind: text in any encoding, archives, notebooks and pictures."""
