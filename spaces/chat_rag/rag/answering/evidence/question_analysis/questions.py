"""Reads a question: the kind of answer that it asks for, the names in it, and its years and periods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from rag.answering.evidence.question_analysis.kinds import ASKS_PRICE, FIGURES, Kind, kind_of
from rag.answering.evidence.question_analysis.names import NamesInQuestion
from rag.answering.evidence.question_analysis.periods import PERIOD_STEMS, Day, days_in, length_in, quarter_in, years_of
from rag.answering.evidence.tables.figures import YEAR
from rag.search.bm25 import STOP_WORDS, keywords, stems
from rag.search.languages import ENGLISH, detect_language

_PERIOD_ENDED = re.compile(r"\b(?:months?|years?|quarters?|weeks?|periods?) ended\b", re.IGNORECASE)
_FISCAL = re.compile(r"\bfiscal\b|\bFY", re.IGNORECASE)
_WANTS_WORDS = re.compile(
    r"^how (?:is|are|was|were|does|do|did|can|should|would)\b|^(?:why|who|where|describe|explain)\b"
    r"|^what (?:does|do|did)\b.{0,200}\b(?:mean|include|comprise|represent|consist|refer|relate|reflect)"
    r"|\breasons?\b|\bcauses?d?\b",
    re.IGNORECASE,
)
_ASKS_FIGURE = re.compile(r"(?:\w+ )?(?:how|when)\b", re.IGNORECASE)
_ASKS_CHANGE = re.compile(
    r"\b(?:more|less|higher|lower|change|(?:in|de)crease|differ|grow|rise|fall)\w*", re.IGNORECASE
)
_HOW_MUCH = re.compile(r"\bhow much\b", re.IGNORECASE)
_NAMES_CHANGE = re.compile(
    r"\bchange|increase|decrease|variance|growth|decline|percent(?!(?:age)? of\b)|%", re.IGNORECASE
)
_ASKS_NAME = re.compile(r"who(?:['’]s| is| was| are| were) (?:the|our|your|my|his|her|their|its)\b", re.IGNORECASE)
_ASKS_DOER = re.compile(
    r"who(?: (?:has|have|had|first|originally))* (?!is\b|are\b|was\b|were\b|did\b|do\b|does\b|else\b)[a-z]+",
    re.IGNORECASE,
)
# Only a person has these roles: a company isn't a president, but it can be a supplier.
_PERSONAL_ROLE = re.compile(
    r"\b(?:pr[eä]siden\w*|présiden\w*|chair\w*|ceo|cfo|coo|cto|chief|direct(?:or|eur|rice)\w*|auth?ors?|auteurs?|wrote"
    r"|written|editors?|officers?|managers?|secretar(?:y|ies)|treasurers?|mayors?|ministers?|captains?|doctors?"
    r"|professors?|judges?|kings?|queens?|m[ae]n|wom[ae]n|persons?|actors?|born|married)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\bhow (?:many|much) (?!(?:is|are|was|were|do|does|did|has|have|had|will)\b)(\w+(?: \w+)?)", re.IGNORECASE
)
# "How much did sales fall?", but not "How much did the change cost?" or "How much did sales rise to?"
_CHANGED = re.compile(
    r"\b(?:how much|by what \w+|by how (?:much|many))\b.{0,40}"
    r"(?:\b(?:did|do|does|has|have|had|was|were|will)\b"
    r"(?!.{0,200}\b(?:pay|paid|costs?|spen[dt]|writ(?:e|ten)|set|sign|earn|charged?|need|take|bring)\b).{1,200}"
    r"(?<!\bthe)(?<!\ba)(?<!\ban)(?<!\bof)(?<!\bin) (?:increase|decrease|rise|fall|grow|decline|drop|change|shrink"
    r"|increased|decreased|risen|fallen|grown|declined|dropped|changed|shrunk)\b(?! to\b)"
    r"|\b(?:is|are|was|were|been)\b.{1,200} (?:up|down)\b)",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"^what (?:do|does|did) .{1,40} mean by (.{1,80}?)\W*$"
    r"|^how (?:is|are|was|were) (.{1,80}) defined\b|^what (?:do|does) (.{1,80}) (?:mean|stand for)\b"
    r"|\bdefinition of (.{1,80}?)\W*$|^what is meant by (.{1,80}?)\W*$",
    re.IGNORECASE,
)
_ASKS_WHAT_IT_IS = re.compile(
    r"(?:what|who)(?:['’]s| is| are| was| were)((?: [\w’'-]{1,40}){1,6})\W{0,4}$", re.IGNORECASE
)
_OF = re.compile(r"\b(?:of|in|on|for|at|by|to)\b")
_RATIO = re.compile(r"\b(?:as an? |what )(?:percent(?:age)?|share|proportion|fraction) of\b", re.IGNORECASE)
# Words that only ask, and that the answer needn't have.
_ASKING = frozenset(["much", "many", "s", "must", "may", "might", "shall", "ever"])
# In lower case: "Greater China" is a name.
_MOST = re.compile(r"\b(?:larg|high|great|bigg|most|max)\w*\b")
_LEAST = re.compile(r"\b(?:small|low|least|less|fewe|min)\w*\b")


@dataclass(frozen=True)
class Question(NamesInQuestion):
    """A question, as the features read it."""

    @cached_property
    def kind(self) -> Kind:
        """The kind of the answer."""
        return kind_of(self.text)

    @cached_property
    def years(self) -> frozenset[str]:
        """The years, each with four digits: "FY19" is 2019."""
        return years_of(self.text)

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """The stems of the words that carry meaning, without years."""
        words = [word for word in keywords(self.text) if not YEAR.fullmatch(word)]
        return tuple(stems([word for word in words if word not in _ASKING] or words))

    @cached_property
    def is_english(self) -> bool:
        """Whether it's in English, as far as its words tell."""
        return detect_language(self.text) == ENGLISH

    @cached_property
    def period_stems(self) -> frozenset[str]:
        """The stems of the words that name a period, and of the days in it."""
        return frozenset(stem for stem in self.stems if stem in PERIOD_STEMS or (stem.isdigit() and len(stem) < 3))

    @cached_property
    def wants_figure(self) -> bool:
        """Whether the question asks how much, how many, how long or when: no words alone answer it."""
        return self.kind in FIGURES and (bool(_ASKS_FIGURE.match(self.text)) or self.wants_price)

    @cached_property
    def wants_price(self) -> bool:
        """Whether the question asks what something costs: a number of other things doesn't answer it."""
        return self.kind is Kind.MONEY and bool(ASKS_PRICE.search(self.text)) and not _ASKS_CHANGE.search(self.text)

    @cached_property
    def asks_change(self) -> bool:
        """Whether the question asks by how much something changed: how much there is of it doesn't answer."""
        return bool(_CHANGED.search(self.text))

    @cached_property
    def names_change(self) -> bool:
        """Whether the question names a change: of a "percentage of revenue", no column of changes has one."""
        return self.asks_change or bool(_NAMES_CHANGE.search(self.text))

    @cached_property
    def asks_ratio(self) -> bool:
        """Whether the question asks how much of something another thing is: by how much it changed doesn't answer."""
        return bool(_RATIO.search(self.text)) and not self.asks_change

    @cached_property
    def defined(self) -> frozenset[str]:
        """The stems of the term whose definition the question asks for; none for another question."""
        match = _DEFINED.search(self.text)
        term = next(filter(None, match.groups()), "") if match else ""
        return frozenset(stems([word for word in re.findall(r"\w+", term) if word.lower() not in STOP_WORDS]))

    @cached_property
    def asks_what_it_is(self) -> bool:
        """Whether it only names something: "What is a marl?", but not "What is the price of marl?"."""
        match = _ASKS_WHAT_IT_IS.match(self.text)
        is_name = match and all(word[0].isupper() or word in STOP_WORDS for word in match[1].split())
        return bool(match and not self.wants_name and (is_name or not _OF.search(match[1])))

    @cached_property
    def may_be_money(self) -> bool:
        """Whether money answers too, where the question asks how much there is: of goodwill, or of butter."""
        return self.kind is Kind.NUMBER and bool(_HOW_MUCH.search(self.text))

    @cached_property
    def wants_name(self) -> bool:
        """Whether the question asks who has a role: "the president, the treasurer and two masters" doesn't answer."""
        return self.kind is Kind.PERSON and bool(_ASKS_NAME.match(self.text))

    @cached_property
    def asks_doer(self) -> bool:
        """Whether the question asks who does or did something: "Who built it?", but not "Who is here?"."""
        return self.kind is Kind.PERSON and bool(_ASKS_DOER.match(self.text))

    @cached_property
    def asks_role(self) -> bool:
        """Whether the question asks for somebody in a role that only persons have."""
        return self.kind is Kind.PERSON and bool(_PERSONAL_ROLE.search(self.text))

    @cached_property
    def counted(self) -> frozenset[str]:
        """The stems of what the question asks the number of: "How many study rooms are there?" asks for rooms."""
        match = _COUNTED.search(self.text)
        return frozenset(stems([word for word in match[1].split() if word not in STOP_WORDS])) if match else frozenset()

    @cached_property
    def extreme(self) -> int:
        """1 for a question for the largest, -1 for the smallest, otherwise 0."""
        if self.kind is not Kind.DATE and not re.match(r"(?:what|which)\b", self.text, re.IGNORECASE):
            return 0
        return 1 if _MOST.search(self.text) else -1 if _LEAST.search(self.text) else 0

    @cached_property
    def wants_words(self) -> bool:
        """Whether the question asks for an explanation, so that no figure answers it."""
        return bool(_WANTS_WORDS.search(self.text))

    @cached_property
    def months(self) -> int:
        """The length of the period that the question names, in months; 0 if it names none. "Fiscal 2023" is a year."""
        return length_in(self.text) or (12 if self.is_fiscal and self.years and not self.quarter else 0)

    @cached_property
    def names_period_end(self) -> bool:
        """Whether "ended" only says that a period did: "the nine months ended June 25"."""
        return bool(_PERIOD_ENDED.search(self.text))

    @cached_property
    def quarter(self) -> int:
        """The number of the quarter that the question names, 0 if it names none."""
        return quarter_in(self.text)

    @cached_property
    def is_fiscal(self) -> bool:
        """Whether the question counts years as the company does."""
        return bool(_FISCAL.search(self.text))

    @cached_property
    def days(self) -> tuple[Day, ...]:
        """The days that the question names."""
        return tuple(days_in(self.text))
