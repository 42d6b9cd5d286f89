"""Questions with known answers, and how well quotes and citations answer them."""
