"""A conversation as a link that contains all of it.

The link is the page's address with `#c=` and a fragment: deflated JSON in base64url. A browser doesn't send the
fragment to the server, so nothing is stored. A link has the questions, the quotes, the answers and the names of the
cited documents, never another part of a document or a thought. Anyone can make a link, so `open_turns` trusts nothing
in it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

from backends import SpaceportError
from chat_page.rendering.answer_text import answer_text
from chat_page.translations.languages import strings
from rag.answering.quotes import Quote
from rag.answering.turn import Turn
from rag.answering.types import Citation, Sentence
from rag.documents import Passage
from rag.reading.file_names import display_name

# Version 2 has quotes and unsupported sentences, version 3 unsure quotes. A link has the first version that can say the
# same, so that older pages open it.
VERSION = 3
# Mail and chat programs cut or refuse longer links. The page's own address can have MAX_ADDRESS of these characters.
MAX_LINK, MAX_ADDRESS = 30_000, 1_000
# Bytes of JSON: twice as much as a link of ordinary text contains. Gradio keeps what thousands of pages show, with
# up to four bytes a character.
MAX_INFLATED = 200_000


class ShareError(SpaceportError):
    """A conversation doesn't fit into a link, or a link contains no conversation."""


def link_fragment(turns: Sequence[Turn]) -> str:
    """Return the part of the link after `#c=`; a `ShareError` says that there is too much to share, or nothing."""
    words = strings()
    if not turns:
        raise ShareError(words.nothing_to_share, words.nothing_to_share_remedy)
    value = {"v": max(map(_least_version, turns)), "turns": [_link_turn(turn) for turn in turns]}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = compressor.compress(text.encode(errors="replace")) + compressor.flush()
    fragment = base64.urlsafe_b64encode(data).decode().rstrip("=")
    if len(fragment) > MAX_LINK - MAX_ADDRESS:
        raise ShareError(
            words.fill(words.link_too_long, characters=len(fragment), limit=MAX_LINK), words.link_too_long_remedy
        )
    try:
        open_turns(fragment)  # never hand out a link that the reader would refuse
    except ShareError as error:
        raise ShareError(words.not_shareable, words.not_shareable_remedy) from error
    return fragment


def open_turns(fragment: str) -> tuple[Turn, ...]:
    """Return the conversation of a fragment, without the `#c=`; a `ShareError` says why there is none."""
    words = strings()
    try:
        data = _inflate(fragment)
        _check_version(data)
        link = _schema().model_validate_json(data)
    except (ValueError, zlib.error) as error:  # the errors of pydantic and base64 are ValueErrors
        raise ShareError(words.no_conversation, words.no_conversation_remedy) from error
    return tuple(
        Turn(
            question=turn.q,
            answer=turn.a,
            quotes=tuple(_quote(quoted) for quoted in turn.k),
            sentences=tuple(Sentence(min(span), max(span), supported=False) for span in turn.u),
            citations=tuple(_citation(cited.n, cited.d, cited.p) for cited in turn.c),
            unsure=turn.x,
            finish_reason="stop",
            target=turn.m,
            asked_at=turn.t,
            shared=True,
        )
        for turn in link.turns
    )


def _least_version(turn: Turn) -> int:
    return 3 if turn.unsure else 2 if turn.quotes or turn.unsupported else 1


def _link_turn(turn: Turn) -> dict[str, Any]:
    passages = [citation.passage for citation in turn.citations]
    # Those that only come closest to an unanswered question are nobody else's business.
    quotes = {"k": [_link_quote(quote) for quote in turn.quotes]} if turn.quotes and not turn.abstention else {}
    unsure = {"x": True} if turn.unsure else {}
    shift = len(turn.answer) - len(turn.answer.lstrip())  # the link's answer begins with a word
    spans = [[max(0, each.start - shift), max(0, each.end - shift)] for each in turn.unsupported]
    unsupported = {"u": spans} if spans else {}
    return (
        quotes
        | unsure
        | unsupported
        | {
            "q": turn.question,
            "a": answer_text(turn, strings()),
            "c": [{"n": passage.number, "d": passage.document, "p": passage.page} for passage in passages],
            "m": turn.target,
            "t": turn.asked_at,
        }
    )


def _link_quote(quote: Quote) -> dict[str, Any]:
    answer = [quote.answer_start - quote.start, quote.answer_end - quote.start]
    return {"d": quote.document, "p": quote.page, "t": quote.text, "a": answer, "n": list(quote.labels)}


def _quote(quoted: Any) -> Quote:
    """A quote whose place in its document isn't in the link: its characters count from its own start."""
    length = len(quoted.t)
    start, end = (min(offset, length) for offset in quoted.a)
    return Quote(
        "", display_name(quoted.d), quoted.p, "", 0, length, quoted.t, start, max(start, end), 0.0, tuple(quoted.n)
    )


def _citation(number: int, document: str, page: int | None) -> Citation:
    """A citation whose passage isn't in the link."""
    return Citation(Passage(number, "", display_name(document), page, "", 0, 0, "", 0.0, None, None), attributed=False)


def _inflate(fragment: str) -> bytes:
    """Return the bytes of a fragment; never more than `MAX_INFLATED`."""
    if not 0 < len(fragment) <= MAX_LINK:
        raise ValueError("the fragment is empty or too long")
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    data = base64.b64decode(fragment.encode("ascii") + b"=" * (-len(fragment) % 4), altchars=b"-_", validate=True)
    text = decompressor.decompress(data, MAX_INFLATED)
    if not decompressor.eof or decompressor.unused_data:
        raise ValueError("the data is too long, cut off, or followed by something else")
    return text


def _check_version(data: bytes) -> None:
    """Refuse a link that a later version of the page made, and say so."""
    words = strings()
    version = _version_schema().model_validate_json(data).v
    if version > VERSION:
        raise ShareError(words.link_too_new, words.link_too_new_remedy)


@cache
def _version_schema() -> Any:
    from pydantic import BaseModel, ConfigDict

    class Versioned(BaseModel):
        model_config = ConfigDict(strict=True)
        v: int

    return Versioned


@cache
def _schema() -> Any:
    """The schema of a link's JSON: exact types, nothing extra, and a limit for everything."""
    from pydantic import BaseModel, ConfigDict, Field

    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)

    class CitedDocument(Strict):
        n: int = Field(ge=1, le=99)
        d: str = Field(min_length=1, max_length=200)
        p: int | None = Field(ge=1, le=1_000_000)

    span = Annotated[list[Annotated[int, Field(ge=0, le=MAX_INFLATED)]], Field(min_length=2, max_length=2)]

    class QuotedText(Strict):
        d: str = Field(min_length=1, max_length=200)
        p: int | None = Field(ge=1, le=1_000_000)
        t: str = Field(max_length=MAX_INFLATED)
        a: span
        n: list[Annotated[str, Field(max_length=2_000)]] = Field(max_length=3)

    class LinkTurn(Strict):
        q: str = Field(max_length=20_000)
        a: str = Field(max_length=MAX_INFLATED)
        c: list[CitedDocument] = Field(max_length=99)
        k: list[QuotedText] = Field(default=[], max_length=20)
        x: bool = False
        u: list[span] = Field(default=[], max_length=1_000)
        m: str = Field(max_length=100)
        t: str = Field(max_length=40, pattern=r"^[0-9T:.+Z-]*$")

    class Link(Strict):
        v: int = Field(ge=1, le=VERSION)
        turns: list[LinkTurn] = Field(min_length=1, max_length=200)

    return Link
