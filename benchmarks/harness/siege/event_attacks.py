"""Hostile guests who send the page's own events. Each function is one action, which its guest repeats."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import secrets
import zlib
from functools import cache

from chat_page.sharing.share import MAX_INFLATED
from harness.siege.guest import TARGET, Guest
from harness.siege.hostile_files import backticks, many_cells, nested_forms

MAX_QUESTION, MAX_TOKENS = 20_000, 4096
KETTLE = "The kettle with the number {} is red and holds two litres of water. "


async def endless_answers(guest: Guest) -> None:
    """Asks for the longest answers, several at once, each as a new visitor."""
    pages = [Guest(guest.page, guest.address) for _ in range(4)]
    try:
        await asyncio.gather(*(_ask_and_read(page, MAX_TOKENS) for page in pages))
    finally:
        for page in pages:
            await page.http.aclose()


async def huge_questions(guest: Guest) -> None:
    """Asks the longest question that the page takes, and one that is far too long."""
    question = random.choice([MAX_QUESTION, 7_000_000]) // 10 * "Why? When "
    await guest.ask(question, tokens=MAX_TOKENS)
    await guest.read_all()


async def large_calls(guest: Guest) -> None:
    """Calls the API with documents of 7 MB to read."""
    await guest.run("ask_documents", "How much does the kettle hold?", _texts(), TARGET)


async def hostile_pdfs(guest: Guest) -> None:
    """Uploads a PDF whose forms draw each other 2 ** 26 times."""
    await _add_file(guest, ".pdf", nested_forms())


async def hostile_word_files(guest: Guest) -> None:
    """Uploads a Word file with a table of 148,000 cells."""
    await _add_file(guest, ".docx", many_cells())


async def hostile_tables(guest: Guest) -> None:
    """Uploads a CSV file of backticks."""
    await _add_file(guest, ".csv", backticks())


async def invented_keys(guest: Guest) -> None:
    """Opens the page with a new key and a new session each time."""
    guest.renew()
    await guest.run("open_page", guest.key, "")


async def previews_and_exports(guest: Guest) -> None:
    """Opens citations and exports the conversation without a pause."""
    if not getattr(guest, "has_asked", False):
        await _ask_and_read(guest, 500)
        guest.has_asked = True  # type: ignore[attr-defined]
    clicks = [guest.join("open_source", guest.key, event_data={"source": "1-1", "claim": 0}) for _ in range(4)]
    exports = [guest.run(name, guest.key) for name in ("export_markdown", "export_json", "share_link")]
    await asyncio.gather(*clicks, *exports)
    await guest.read_all()


async def queue_floods(guest: Guest) -> None:
    """Joins the queue with events of ever new sessions and reads nothing."""
    guest.renew()
    await guest.join("list_targets", TARGET)


async def share_links(guest: Guest) -> None:
    """Opens the largest links, which unpack to a hundred times their size, and shares the conversation in them."""
    await guest.run("open_link", _packed_link(), guest.key)
    await guest.run("share_link", guest.key)


async def _ask_and_read(guest: Guest, tokens: int) -> None:
    await guest.ask("How many visitors does the viewing deck hold?", tokens=tokens)
    await guest.read_all()


async def _add_file(guest: Guest, suffix: str, content: bytes) -> None:
    """Have a file read, as a new visitor. Its name is new: Gradio stores equal files with equal names only once."""
    guest.renew()
    await guest.add_file(f"{secrets.token_hex(4)}{suffix}", content)


@cache
def _texts() -> dict[str, str]:
    return {"kettles.txt": "".join(map(KETTLE.format, range(100_000)))}


@cache
def _packed_link() -> str:
    """A valid link of the largest size that the page unpacks."""
    words = "`*_[word](#x) " * ((MAX_INFLATED - 200) // 14)
    text = json.dumps({"v": 1, "turns": [{"q": "Why?", "a": words, "c": [], "m": TARGET, "t": ""}]})
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.urlsafe_b64encode(packer.compress(text.encode()) + packer.flush()).decode().rstrip("=")


KINDS = (
    endless_answers, huge_questions, large_calls, hostile_pdfs, hostile_word_files, hostile_tables, invented_keys,
    previews_and_exports, queue_floods, share_links,
)  # fmt: skip
