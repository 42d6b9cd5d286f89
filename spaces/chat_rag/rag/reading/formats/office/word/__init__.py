"""Reads Word files (DOCX): mammoth converts what these modules have prepared."""
