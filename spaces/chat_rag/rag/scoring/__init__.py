"""Questions with known answers: what every target gets asked, and whether its answers are right."""
