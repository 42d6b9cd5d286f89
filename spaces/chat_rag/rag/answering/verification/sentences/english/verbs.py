"""The verbs of an English sentence, found by the words around them: an auxiliary before, an object after."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from rag.answering.verification.support import ends_sentence
from rag.search.languages import ENGLISH, stop_words
from rag.search.words import stem_tokens

_LISTS = tomllib.loads(Path(__file__).with_name("grammar.toml").read_text(encoding="utf-8"))
_FORMS = [forms.split() for forms in _LISTS.pop("irregular")]
_SETS = {name: frozenset(words.split()) for name, words in _LISTS.items()}
BE, HELPERS, ADVERBS, LINKS = _SETS["be"], _SETS["helpers"], _SETS["adverbs"], _SETS["links"]
PREPOSITIONS, ARTICLES, PRONOUNS = _SETS["prepositions"], _SETS["articles"], _SETS["pronouns"]
POSSIBLE, NECESSARY, _FUTURE = _SETS["possible"], _SETS["necessary"], _SETS["future"]
_IRREGULAR = {form: forms[0] for forms in _FORMS for form in forms}
_ENDS_NOUN = BE | HELPERS | PREPOSITIONS | LINKS | PRONOUNS
_NO_WORDS = _ENDS_NOUN | ADVERBS | ARTICLES
# What is said "to" be done after these is only intended.
_PLANS = re.compile(
    r"(?:expect|plan(?:s|ned|ning)?$|inten|propos|schedul|due|aim|want|hop(?:e|es|ed|ing)$|agree|seek|announc|likely|promis|decid|vow"
    r"|offer|project|anticipat|about|need|requir|oblig|recommend|ask|urg)"
)
_TOKEN = re.compile(r"[^\W_]+(?:[-’'][^\W_]+)*|[;:,.()–—]")
_NOT = re.compile(r"n['’]t\b")
_POSSESSIVE = re.compile(r"[’'][sS]?$")
# So many words can stand between an auxiliary and its verb, and between a plan and its "to".
_REACH, _PLAN_REACH = 4, 3
_SHORTEST_PAST = 5
# Each verb is read with all words before it.
_MOST_WORDS = 300
_ABBREVIATION = 12


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a mark of a sentence."""

    text: str
    stem: str
    is_name: bool

    @property
    def is_word(self) -> bool:
        """Whether this isn't a mark or a word that only joins others."""
        return self.text[0].isalnum() and self.text not in _NO_WORDS

    @property
    def has_meaning(self) -> bool:
        return self.is_word and self.text not in stop_words(ENGLISH) and self.text not in _SETS["titles"]

    @property
    def ends_noun(self) -> bool:
        """Whether no noun goes on with this."""
        return not self.text[0].isalnum() or self.text in _ENDS_NOUN

    @property
    def is_adverb(self) -> bool:
        return self.text in ADVERBS or self.text.endswith("ly")

    @property
    def ends_clause(self) -> bool:
        return self.text in ";:." or (self.text in LINKS and self.text not in ("and", "or"))

    @property
    def is_past(self) -> bool:
        """Whether this has the form of the past or of a participle."""
        irregular = _IRREGULAR.get(self.text, self.text) != self.text
        return irregular or (self.text.endswith("ed") and len(self.text) >= _SHORTEST_PAST)


class Words:
    """The words of a sentence, and the places of its verbs."""

    def __init__(self, text: str) -> None:
        text = _NOT.sub(" not", text)
        found = islice(_TOKEN.finditer(text), _MOST_WORDS)
        tokens = [each[0] for each in found if each[0] != "." or _ends(text, each.end())]
        plain = [(_POSSESSIVE.sub("", token) or token).lower() for token in tokens]
        stems = stem_tokens([_IRREGULAR.get(token, token) for token in plain], ENGLISH)
        self.all = [
            Word(token.lower(), stem, at > 0 and token[0].isupper())
            for at, (token, stem) in enumerate(zip(tokens, stems, strict=True))
        ]

    @cached_property
    def verbs(self) -> list[int]:
        """The places of the verbs."""
        return [at for at in range(len(self.all)) if self.is_verb(at)]

    def is_verb(self, at: int) -> bool:
        """Return whether a word is a verb: after an auxiliary, in the past, or right before an object."""
        word, following = self.all[at], self.all[at + 1] if at + 1 < len(self.all) else None
        if not word.is_word or word.is_name or word.text[0].isdigit():
            return False
        before = next(iter(self.helpers(at)[-1:]), None) if at else None
        if before and before.text in BE:
            return word.is_past or word.text.endswith("ing") or bool(following and following.text == "by")
        if before and (before.text != "to" or _begins_object(following) or self.is_planned(at)):
            return True
        previous = self.all[at - 1] if at else None
        if not previous or previous.text in ARTICLES or previous.text in PREPOSITIONS:
            return False
        is_present = word.text.endswith("s") and previous.is_word and not previous.is_adverb
        return word.is_past or (is_present and _begins_object(following))

    def helpers(self, at: int) -> list[Word]:
        """Return the auxiliaries before a verb, from the first on, or from "to"."""
        helpers = list[Word]()
        for word in self.all[max(0, at - _REACH) : at][::-1]:
            if word.text in BE or word.text in HELPERS:
                helpers.insert(0, word)
            elif not word.is_adverb:
                break
            if word.text == "to":
                break
        return helpers

    def is_passive(self, at: int) -> bool:
        """Return whether the subject of a verb doesn't do something, but has it done."""
        helpers = self.helpers(at)
        return bool(helpers and helpers[-1].text in BE) and not self.all[at].text.endswith("ing")

    def is_planned(self, at: int) -> bool:
        """Return whether a verb says what will or may be done: "expects to buy", "will be bought"."""
        helpers = self.helpers(at)
        if not helpers or helpers[0].text != "to":
            return any(helper.text in _FUTURE for helper in helpers)
        to = max(place for place in range(at) if self.all[place].text == "to")
        return any(_PLANS.match(word.text) for word in self.all[max(0, to - _PLAN_REACH) : to])

    def is_denied(self, at: int) -> bool:
        """Return whether "not" or "never" stands before a verb."""
        return any(word.text in ("not", "never") for word in self.all[max(0, at - _REACH) : at])

    def is_done(self, at: int) -> bool:
        """Return whether a verb says what has happened: "bought", "has bought", "was bought"."""
        helpers = {helper.text for helper in self.helpers(at)}
        return self.all[at].is_past and helpers <= {"has", "have", "had", "was", "were", "been"}


def _ends(text: str, at: int) -> bool:
    """Return whether a point ends a sentence, unlike that of "St."."""
    return ends_sentence(text[max(0, at - _ABBREVIATION) : at])


def _begins_object(word: Word | None) -> bool:
    return bool(word and (word.text in ARTICLES or word.is_name or word.text[0].isdigit()))
