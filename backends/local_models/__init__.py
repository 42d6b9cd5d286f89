"""Models for this machine: a table of good ones, what fits, the download, and the one in use."""
