"""A visitor who asks, opens a citation and shares the conversation, repeatedly, and records how long each takes."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from harness.pages.page_client import answer_text, apply_changes
from harness.servers.paced_server import WORD
from harness.siege.guest import Guest

QUESTIONS = (
    "How many visitors does the viewing deck hold?",
    "What is the exclusion zone?",
    "How did the number of Arctic terns change?",
)
# A visitor may ask 20 questions per minute.
INTERVAL, ANSWER_TOKENS = 3.5, 30


@dataclass
class Visit:
    """Seconds from the start of each action; `error` says what was lost."""

    page: float | None = None
    first_quote: float | None = None
    first_token: float | None = None
    answer: float | None = None
    citation: float | None = None
    link: float | None = None
    error: str = ""

    as_json = asdict


async def visit_regularly(guest: Guest, seconds: float) -> list[Visit]:
    """Visit the page every INTERVAL; a visit that takes longer delays the next one."""
    visits, started = list[Visit](), time.perf_counter()
    while time.perf_counter() < started + seconds:
        next_visit = asyncio.create_task(asyncio.sleep(INTERVAL))
        visits.append(await visit(guest, QUESTIONS[len(visits) % len(QUESTIONS)]))
        await next_visit
    return visits


async def visit(guest: Guest, question: str) -> Visit:
    """Load the page, ask, open the first citation, and share the conversation."""
    record = Visit()
    try:
        await _load(guest, record)
        await _ask(guest, record, question)
        await _open_citation(guest, record)
        await _share(guest, record)
    except Exception as error:  # whatever it is, the visitor didn't get an answer
        record.error = f"{type(error).__name__}: {error}"[:200]
    return record


async def _load(guest: Guest, record: Visit) -> None:
    guest.open_page()
    started = time.perf_counter()
    (await guest.http.get("/")).raise_for_status()
    await guest.run("open_page", guest.key, "")
    record.page = time.perf_counter() - started
    await guest.run("new_chat", guest.key, "")


async def _ask(guest: Guest, record: Visit, question: str) -> None:
    conversation: Any = None
    started = time.perf_counter()
    await guest.ask(question, tokens=ANSWER_TOKENS)
    async for message in guest.messages():
        elapsed = time.perf_counter() - started
        if message["msg"] == "process_completed":
            assert message["success"], message["output"]
            record.answer = elapsed
        if message["msg"] != "process_generating":
            continue
        change, sources, *_ = message["output"]["data"]
        conversation = change if conversation is None else apply_changes(conversation, change)
        if record.first_quote is None and "sp-card" in json.dumps(sources):
            record.first_quote = elapsed
        if record.first_token is None and WORD.search(answer_text(conversation)):
            record.first_token = elapsed
    words = len(WORD.findall(answer_text(conversation)))
    assert record.first_quote is not None, f"no quote: {answer_text(conversation)}"
    assert words == ANSWER_TOKENS, f"{words} of {ANSWER_TOKENS} words: {answer_text(conversation)}"


async def _open_citation(guest: Guest, record: Visit) -> None:
    started, output = time.perf_counter(), ""
    await guest.join("open_source", guest.key, event_data={"source": "1-1", "claim": 0})
    async for message in guest.messages():
        if message["msg"] == "process_completed":
            output = json.dumps(message["output"])
    assert "sp-view" in output, f"no preview: {output}"
    record.citation = time.perf_counter() - started


async def _share(guest: Guest, record: Visit) -> None:
    started = time.perf_counter()
    link, _ = await guest.run("share_link", guest.key)
    assert link, "no link"
    record.link = time.perf_counter() - started
