"""Questions and passages that have nothing to do with each other, to see which cosine a model gives such texts."""

from __future__ import annotations

UNRELATED_QUESTIONS = (
    "When does the swimming pool close?",
    "Who won the football match?",
    "Wie hoch ist der Berg?",
    "¿Cuánto cuesta la entrada?",
    "电池能用多久？",
)
UNRELATED_PASSAGES = (
    "Bread is baked from flour, water and salt.",
    "The treaty was signed after a long war.",
    "A violin has four strings.",
    "Der Zinssatz wurde im Mai gesenkt.",
    "Las células del hígado se dividen despacio.",
    "Le train part de la gare centrale.",
    "这座桥建于一九三一年。",
    "Программа сортирует список чисел.",
)
# From this mean on, cosines are put on another scale: all-MiniLM-L6-v2 has about 0.1, multilingual-e5-small 0.74.
UNUSUAL_COSINE = 0.3
