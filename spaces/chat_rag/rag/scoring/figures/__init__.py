"""Figures of answers: their value with scale, unit and sign, what they are of, and whether they are right."""
