"""Readers of office files: documents, spreadsheets, presentations and books."""
