"""Reads spreadsheets: XLSX, XLS and ODS."""
