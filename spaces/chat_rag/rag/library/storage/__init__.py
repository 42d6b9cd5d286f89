"""Documents and conversations on disk or in memory: their files, atomic writes and locks."""
