"""Phrases of each language whose words mean something else together, or say only where something is said."""

from __future__ import annotations

import re

NOTHING = re.compile(r"(?!)")
# These are left out of a sentence: "not only" denies nothing, and "once the door opens" counts nothing.
IGNORED = {
    "english": re.compile(
        r"\b(?:not (?:only|just|merely|solely)|(?<=but )also|(?<!only )(?<!just )(?<!than )once(?=,? \w)"
        r"(?! (?:an?|per|every|each|only|daily|weekly|monthly|yearly|annually)\b))\b"
    ),
    "german": re.compile(r"\b(?:nicht (?:nur|bloß|lediglich)|(?:noch|auf) einmal)\b"),
    # "Neuf" before a plural is nine, elsewhere it's new.
    "french": re.compile(
        r"\b(?:(?:pas|non) (?:seulement|uniquement|exclusivement)|(?<=mais )aussi|(?<!-)neuf(?! (?!(?:pas|plus|mais"
        r"|dans|sans|sous|vers|puis|depuis|après|alors|toujours)\b)(?:\w+[sx]|cent|mille)\b))\b"
    ),
    "spanish": re.compile(r"\bno (?:solo|sólo|solamente|únicamente)\b"),
}
# These say only where something is said: "the report found".
FRAMING = {
    "english": re.compile(
        r"\b(?:according to (?:the |this |that |a )?reports?"
        r"|reports? (?:\w+ly |also )?(?:says?|said|mentions?|mentioned|describes?|described|notes?|noted|explains?"
        r"|explained)"
        r"|(?:reports?|documents?|passages?|texts?|authors?|studies|study) (?:\w+ly |also )?(?:states?|stated|finds?"
        r"|found)"
        r"|(?:documents?|passages?|texts?|authors?|studies|study) (?:\w+ly |also )?report(?:s|ed)?"
        r"|(?:it is|it was|as) reported)\b",
        re.IGNORECASE,
    )
}
