"""Tables as evidence: their cells with all labels, what counts as a figure, and whose figure it is."""
