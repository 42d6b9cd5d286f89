"""Whether a figure is a rise or a fall, a gain or a loss: by its sign and by the words around it."""

from __future__ import annotations

import re

from rag.scoring.figures.amounts import Amount

# A change, right before or after its figure. "fell to 12" has no change of 12.
FALL = (
    r"(?:decreas\w*|declin\w*|fell|fall\w*|dropp?\w*|down|lower\w*|reduc\w*|shrank|lost|minus"
    r"|sank|gesunken|gefallen|rückgang|zurück|baiss\w*|diminu\w*|recul\w*|cay\w*|descen\w*|disminu\w*|下降|减少|降低)"
)
RISE = (
    r"(?:increas\w*|rose|rise\w*|gr[eo]w\w*|growth|gain\w*|up|higher|climb\w*|plus"
    r"|stieg\w*|gestiegen|gewachsen|zunahme|hauss\w*|augment\w*|aument\w*|crec\w*|subi\w*|增长|增加|上升)"
)
# "A decline in units of 5%"
_BEFORE = (
    r"(?:\sin\s[^,;.]{1,60}\s(?:of|by))?"
    r"\W{1,3}(?:by|of|um|de|en|del?|un|about|approximately|around|roughly|an?|ca\.?|\W){0,3}\W{0,3}$"
)
_CHANGES = [
    (sign, re.compile(rf"(?<!\w){words}{_BEFORE}", re.IGNORECASE),
     re.compile(rf"\s?{words}(?!\w)(?!\s+(?:than|from|to)\b)" if sign > 0 else rf"\s?{words}(?!\w)", re.IGNORECASE))
    for sign, words in ((-1, FALL), (1, RISE))
]  # fmt: skip
_FALLS, _RISES = (re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE) for words in (FALL, RISE))
# What an amount is, anywhere before it.
_LOSS = re.compile(
    r"\b(?:loss(?:es)?|deficits?|outflows?|use[ds]? (?:in|for|by)|negative|minus|verlust\w*|fehlbetrag|abfluss|pertes?"
    r"|déficit|pérdidas?)\b|亏损|流出",
    re.IGNORECASE,
)
_LOSS_AFTER = re.compile(
    r"\s?(?:of )?(?:net |operating )?(?:loss(?:es)?|deficits?|outflows?|verlust\w*|pertes?|déficit|pérdidas?)\b|亏损",
    re.IGNORECASE,
)
_GROUP = re.compile(r"\([^()]{0,40}\)")  # "net income (loss)"
_GAIN = re.compile(
    r"\b(?:income|profits?|gains?|inflows?|provided|surplus|positive|gewinn\w*|überschuss|bénéfices?|beneficios?|ganancias?)\b"
    r"|盈利|利润|流入",
    re.IGNORECASE,
)
_SPENDING = re.compile(
    r"\b(?:spen[dt]|spending|pa(?:y|id)|payments?|costs?|expenses?|charges?|provisions?|repurchase\w*)\b", re.I
)


def change_sign(before: str, after: str) -> int:
    """Return -1 if the words right around a figure say that something fell by it, 1 if it rose, and 0 otherwise."""
    return next((sign for sign, ahead, following in _CHANGES if ahead.search(before) or following.match(after)), 0)


def kind_sign(text: str) -> int:
    """Return -1 if a text says that an amount is a loss or an outflow, 1 if it's a gain, and 0 otherwise."""
    return -1 if _LOSS.search(text) else 1 if _GAIN.search(text) else 0


def says_minus(before: str, after: str, *, is_count: bool) -> bool:
    """Return whether the words around a figure of a gold answer say a fall or a loss, which its digits don't."""
    change = change_sign(before, after)
    return change < 0 or (change == 0 and not is_count and _loss_sign(_GROUP.sub("", before), after) < 0)


def _loss_sign(before: str, after: str) -> int:
    return -1 if _LOSS_AFTER.match(after) else kind_sign(before)


def asked_sign(question: str) -> int:
    """Return -1 if a question asks for a fall or a loss, 1 for a rise, and 0 otherwise."""
    if _LOSS.search(question) or _FALLS.search(question):
        return -1
    return 1 if _RISES.search(question) else 0


def is_right_sign(question: str, gold: Amount, given: Amount, before: str, after: str, *, is_first: bool) -> bool:
    """Return whether an amount with these words around it has the sign of the gold one.

    "A loss of 12" and "(12)" are the same; so is 12, if the question asks for a loss, and (12) for what was spent. In
    parentheses after words or another figure, which may be repeated there, both signs are meant.
    """
    sign_in_question, change = asked_sign(question), change_sign(before, after)
    may_be_minus = given.has_minus or given.in_parentheses
    repeats = given.in_parentheses and (not is_first or bool(re.search(r"\w", before))) and not change
    own = -1 if may_be_minus else change or _loss_sign(before, after)
    if gold.has_minus or gold.in_parentheses:
        return own < 0 or (sign_in_question < 0 and own == 0)
    if sign_in_question < 0:
        return may_be_minus or own <= 0
    is_minus = given.has_minus or (given.in_parentheses and not repeats and not _SPENDING.search(question))
    return not is_minus and change >= 0
