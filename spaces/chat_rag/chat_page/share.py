"""A conversation as a link that holds all of it, and the scripts that take it out of the page and into it.

The link is the page's address with `#c=` and the conversation behind it: deflated JSON in base64url. A browser sends
no fragment to a server, so nothing is stored anywhere. It holds questions, answers and the names of what they cite,
never a passage, a thought or a file. Anybody can make a link: `opened` believes nothing that stands in one.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from backends import SpaceportError
from chat_page.conversation import ASIDE, user_message
from chat_page.export import LINKED_MARKER, VERSION, Exchange, Quote, given_by, harmless
from chat_page.strings import ENGLISH
from rag.reading.parse import display_name

# Mail and chat programs cut or refuse what is longer; of it the page's own address has this much.
MAX_LINK, MAX_ADDRESS = 30_000, 1_000
# Bytes of JSON: ten times what a link of ordinary text holds.
MAX_INFLATED = 1_000_000


class ShareError(SpaceportError):
    """A conversation does not fit into a link, or what stands in a link is none."""


def fragment(conversation: Sequence[Exchange]) -> str:
    """What stands behind `#c=` in the link; a `ShareError` says that there is too much of it, or nothing."""
    if not conversation:
        raise ShareError(ENGLISH.nothing_to_share, ENGLISH.nothing_to_share_remedy)
    turns = [
        {
            "q": each.question,
            "a": each.answer,
            "c": [{"n": quote.number, "d": quote.document, "p": quote.page} for quote in each.quotes],
            "m": each.target,
            "t": each.time,
        }
        for each in conversation
    ]
    written = json.dumps({"v": VERSION, "turns": turns}, ensure_ascii=False, separators=(",", ":"))
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(written.encode(errors="replace")) + packer.flush()
    made = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    if len(made) > MAX_LINK - MAX_ADDRESS:
        raise ShareError(
            ENGLISH.link_too_long.format(characters=len(made), most=MAX_LINK), ENGLISH.link_too_long_remedy
        )
    try:
        opened(made)  # what the reader would refuse must not be handed out
    except ShareError as error:
        raise ShareError(ENGLISH.not_shareable, ENGLISH.not_shareable_remedy) from error
    return made


def opened(text: str) -> tuple[Exchange, ...]:
    """The conversation in a fragment, without the `#c=`; a `ShareError` if it is not exactly one of ours."""
    try:
        read = _schema().model_validate_json(_inflated(text))
    except (ValueError, zlib.error) as error:  # pydantic's and base64's are ValueErrors
        raise ShareError(ENGLISH.no_conversation, ENGLISH.no_conversation_remedy) from error
    return tuple(
        Exchange(
            harmless(turn.q),
            harmless(LINKED_MARKER.sub(r"[\1]", turn.a)),
            tuple(Quote(cited.n, harmless(display_name(cited.d)), cited.p) for cited in turn.c),
            harmless(turn.m),
            harmless(turn.t),
        )
        for turn in read.turns
    )


def messages(conversation: Sequence[Exchange]) -> list[dict[str, Any]]:
    """An opened conversation as a page shows it: citations are numbers, with document and page as text below."""
    shown = [_aside(f"*{ENGLISH.shared}*")]
    for each in conversation:
        shown += [user_message(each.question), {"role": "assistant", "content": each.answer}]
        if about := [*(f"[{quote.number}] {quote.place}" for quote in each.quotes), *given_by(each)]:
            shown.append(_aside("\n".join(about)))
    return shown


def _inflated(text: str) -> bytes:
    """The bytes in a fragment; never more than `MAX_INFLATED` of them are made."""
    if not 0 < len(text) <= MAX_LINK:
        raise ValueError("too long")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    packed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    written = unpacker.decompress(packed, MAX_INFLATED)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("too much, too little, or something behind it")
    return written


@cache
def _schema() -> Any:
    """The form of a link's JSON: nothing of another type, nothing more, nothing without a limit."""
    from pydantic import BaseModel, ConfigDict, Field

    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)

    class Cited(Strict):
        n: int = Field(ge=1, le=99)
        d: str = Field(min_length=1, max_length=200)
        p: int | None = Field(ge=1, le=1_000_000)

    class Turn(Strict):
        q: str = Field(max_length=20_000)
        a: str = Field(max_length=200_000)
        c: list[Cited] = Field(max_length=99)
        m: str = Field(max_length=100)
        t: str = Field(max_length=40, pattern=r"^[0-9T:.+Z-]*$")

    class Link(Strict):
        v: int = Field(ge=VERSION, le=VERSION)
        turns: list[Turn] = Field(min_length=1, max_length=200)

    return Link


def _aside(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text, "metadata": {"id": ASIDE}}


def download_js(name: str, media_type: str) -> str:
    """The script of an event that offers the value of its input as a file, and empties it."""
    return _DOWNLOAD_JS.replace("NAME", json.dumps(name)).replace("TYPE", json.dumps(media_type))


_DOWNLOAD_JS = """
(text) => {
  if (!text) return "";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: TYPE}));
  link.download = NAME;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  return "";
}
"""
# From a fragment to the link, which is copied where the browser allows it. The address has no query: on a Space it may
# hold the visitor's own key to the page.
LINK_JS = """
async (fragment) => {
  if (!fragment) return "";
  const link = location.origin + location.pathname + "#c=" + fragment;
  try { await navigator.clipboard.writeText(link); } catch (refused) { /* it stands in the box to be copied by hand */ }
  return link;
}
"""
# From the page's address to a fragment, "" where there is none; a link that is followed on the open page loads it anew.
READ_JS = """
() => {
  const held = () => location.hash.startsWith("#c=");
  addEventListener("hashchange", () => { if (held()) location.reload(); });
  return held() ? location.hash.slice(3, 30004) : "";
}
"""
