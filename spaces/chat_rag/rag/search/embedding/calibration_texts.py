"""Reference texts that calibrate a model's cosines: unrelated ones, and translations of each other."""

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
TRANSLATIONS = {
    "The dog sleeps in the garden.": "Der Hund schläft im Garten.",
    "The train leaves at noon.": "El tren sale al mediodía.",
    "Water boils at one hundred degrees.": "水在一百度沸腾。",
    "The price rose by ten percent.": "Цена выросла на десять процентов.",
}
# The mean similarity of the translations from which a model counts as multilingual: all-MiniLM-L6-v2 has 0.03,
# multilingual-e5-small 0.52 (29 Nov 2026).
MULTILINGUAL_SIMILARITY = 0.3
