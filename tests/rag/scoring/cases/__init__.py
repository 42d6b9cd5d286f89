"""Answers that people would mark by hand, with the marks that they would give, by the kind of the gold answer."""

from __future__ import annotations

from tests.rag.scoring.cases.dates import DATES
from tests.rag.scoring.cases.money import MONEY
from tests.rag.scoring.cases.percentages import PERCENTAGES
from tests.rag.scoring.cases.quantities import QUANTITIES
from tests.rag.scoring.cases.refusals import REFUSALS
from tests.rag.scoring.cases.signs import SIGNS
from tests.rag.scoring.cases.words import WORDS
from tests.rag.scoring.cases.yes_no import YES_NO

CASES = [*DATES, *MONEY, *PERCENTAGES, *QUANTITIES, *REFUSALS, *SIGNS, *WORDS, *YES_NO]
