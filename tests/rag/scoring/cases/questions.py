"""Questions that several kinds of cases ask."""

INCOME = "What was the operating income?"
GOLD_INCOME = "$23,076 million"
