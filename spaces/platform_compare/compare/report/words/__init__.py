"""The words and number formats of the reports."""
