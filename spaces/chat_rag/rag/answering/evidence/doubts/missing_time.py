"""Recognizes sentences that don't say when, where a question asks for that."""

from __future__ import annotations

import re

from rag.answering.evidence.question_analysis.kinds import Kind
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.units.answer_candidates import candidates
from rag.answering.evidence.units.kind_patterns import TIME_UNIT
from rag.answering.evidence.units.split import Unit

_TIME = re.compile(
    rf"\b(?:{TIME_UNIT}|century|(?:dai|annual|month|week|quarter|year)ly|when|whenever|where|if|once|upon|as soon as"
    r"|after|before|until|unless|while|during|since|by the|at the (?:end|beginning|start)|today|tomorrow|yesterday|now"
    r"|soon|later|earlier|immediately|every|each|always|never|season\w*|spring|summer|autumn|fall|winter|morning|afternoon|evening"
    r"|night|noon|midnight|dawn|dusk|age|era|reign|war|ago|closing|opening)\b|\d (?:BC|AD|BP|BCE|CE)\b",
    re.IGNORECASE,
)

# "It can be read decades from now" doesn't say when something was.
_ASKS_PAST = re.compile(r"when (?:was|were|did)\b", re.IGNORECASE)
_PAST_TIME = re.compile(
    r"\b(?:century|centuries|when|once|upon|as soon as|after|before|until|while|during|since|by the|yesterday|later"
    r"|earlier|at the (?:end|beginning|start)|spring|summer|autumn|fall|winter|morning|afternoon|evening|night|noon"
    r"|midnight|dawn|dusk|age|era|reign|war|ago|immediately|soon)\b|\d (?:BC|AD|BP|BCE|CE)\b",
    re.IGNORECASE,
)


def lacks_time(question: Question, unit: Unit) -> bool:
    """Return whether a question asks when, and a sentence has neither a date nor any other word that says when.

    Of 144 first sentences for such questions in XQuAD and reports, 5 have none, and none of these answers (November
    2026).
    """
    if question.kind is not Kind.DATE or unit.cell:
        return False
    says_when = _PAST_TIME if _ASKS_PAST.match(question.text) else _TIME
    return not says_when.search(unit.text) and not any(candidates(Kind.DATE, unit.text, question))
