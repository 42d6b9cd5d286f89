"""What an event may contain: a dependency of the page's app, because Gradio keeps and fetches whatever it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import HTTPException, Request

from ui.edge.bodies import EVENTS
from ui.edge.limits import KB, EdgeLimits, size_text

# Names that clients invent. Gradio keeps thousands of them, some until it ends.
NAMES = ("session_hash", "event_id", "upload_id")
NAME_CHARACTERS = 100
# The page's own events: a question, a link, the paths of files. Gradio keeps the last inputs of thousands of pages.
PAGE_EVENT_BYTES = 256 * KB


class EventCheck:
    """Refuses long names, large inputs of the page's own events, many files, and files that are addresses."""

    def __init__(self, limits: EdgeLimits) -> None:
        self._limits = limits

    async def __call__(self, request: Request) -> None:
        given = {**request.query_params, **request.path_params}
        if any(len(str(given.get(name, ""))) > NAME_CHARACTERS for name in NAMES):
            raise HTTPException(422, f"A name may have up to {NAME_CHARACTERS} characters.")
        if EVENTS.allows(request.scope):
            await self._check_body(request)

    async def _check_body(self, request: Request) -> None:
        try:
            body = await request.json()
        except (ValueError, RecursionError):
            return  # FastAPI has the answer
        if not isinstance(body, dict):
            return
        if len(str(body.get("session_hash", ""))) > NAME_CHARACTERS:
            raise HTTPException(422, f"A session's name may have up to {NAME_CHARACTERS} characters.")
        if len(await request.body()) > PAGE_EVENT_BYTES and not _is_public(request, body):
            raise HTTPException(413, f"The event is too large: the limit is {size_text(PAGE_EVENT_BYTES)}.")
        for number, path in enumerate(_file_paths(body), start=1):
            if number > self._limits.files:
                raise HTTPException(413, f"An event may name up to {self._limits.files:,} files.")
            if path.lower().startswith(("http:", "https:")):
                raise HTTPException(422, "A file must be uploaded: this page fetches no addresses.")


def _is_public(request: Request, body: dict[str, Any]) -> bool:
    """Whether an event belongs to the API for programs, however the request names it."""
    name, number = request.path_params.get("api_name"), body.get("fn_index")
    functions = request.app.get_blocks().fns.values()
    named = [each for each in functions if each.api_name == name or each._id == number]
    return bool(named) and all(each.api_visibility == "public" for each in named)


def _file_paths(value: Any) -> Iterator[str]:
    """Yield the paths of all files in a JSON value, as Gradio finds them."""
    values = [value]
    while values:
        each = values.pop()
        if isinstance(each, dict):
            if "meta" in each and isinstance(path := each.get("path"), str):
                yield path
            values.extend(each.values())
        elif isinstance(each, list):
            values.extend(each)
