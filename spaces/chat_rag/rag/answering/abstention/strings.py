"""Words of an abstention for the API, the command line and the model's history. A page has its own."""

from __future__ import annotations

from rag.answering.abstention.abstain import Abstention, AbstentionKind

REFUSAL = "The documents do not answer this question."
UNSURE = "Not sure: the closest words in the documents may not answer the question."
NOT_FROM_DOCUMENTS = f"{REFUSAL} This answer is from general knowledge."
REASONS = {
    AbstentionKind.NO_PASSAGES: "No passages found in the documents",
    AbstentionKind.WEAK_EVIDENCE: "No close match in the documents",
    AbstentionKind.NOT_MENTIONED: "No document mentions {names}",
    AbstentionKind.OTHER_YEARS: "No document is about {years}; the documents cover {covered_years}",
    AbstentionKind.OTHER_LANGUAGE: "The documents are in {languages}; ask in {languages}, or set SPACEPORT_EMBEDDINGS"
    " to a multilingual model",
}


def abstention_reason(abstention: Abstention) -> str:
    """Return the reason as one phrase, such as "No document mentions Microsoft"."""
    return REASONS[abstention.kind].format(
        names=", ".join(abstention.names),
        years=", ".join(abstention.years),
        covered_years=", ".join(abstention.covered_years),
        languages=" or ".join(abstention.languages),
    )
