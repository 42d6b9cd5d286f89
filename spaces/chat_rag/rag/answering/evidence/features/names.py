"""The names of the features, in the order of their columns."""

from __future__ import annotations

NAMES = (
    "cosine", "cosine around", "cosine mixed", "coverage", "coverage around", "names", "names around", "passage rank",
    "precision", "has the kind", "lacks the kind", "lacks a figure", "counts", "text year", "text length",
    "text is a sentence", "text is a question", "text is new", "pairs", "is a cell", "label coverage",
    "label precision", "label is asked",
    "section coverage", "header coverage", "header precision", "cell year", "period", "part", "column",
    "cell for words", "label cosine", "rare coverage", "rare coverage around", "passage coverage",
    "rare behind", "rare around behind", "label cosine behind", "change column", "total", "extreme", "rest coverage",
    "cosine behind", "mixed behind", "coverage behind", "coverage around behind", "label behind",
    "word likeness", "soft coverage", "soft coverage around", "borrowed words",
    "likeness behind", "soft behind", "soft around behind",
)  # fmt: skip
# Those that need the vectors of a unit.
BY_VECTORS = (
    "cosine", "cosine around", "cosine mixed", "label cosine", "word likeness", "soft coverage", "soft coverage around",
)  # fmt: skip
# How far a feature is behind that of the best unit of the question.
RELATIVE = (
    ("cosine", "cosine behind"),
    ("cosine mixed", "mixed behind"),
    ("coverage", "coverage behind"),
    ("coverage around", "coverage around behind"),
    ("label coverage", "label behind"),
    ("label cosine", "label cosine behind"),
    ("rare coverage", "rare behind"),
    ("rare coverage around", "rare around behind"),
    ("word likeness", "likeness behind"),
    ("soft coverage", "soft behind"),
    ("soft coverage around", "soft around behind"),
)
