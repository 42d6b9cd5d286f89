"""Words of answers: names, dates, yes and no, and refusals."""
