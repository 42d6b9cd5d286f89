"""Processes that read files: a file that needs too much memory or time, or crashes its parser, ends only its reader."""
