"""What an event may contain: a dependency of the page's app, because Gradio keeps and fetches whatever it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from gradio.route_utils import FnIndexInferError

from ui.middleware.bodies import EVENTS
from ui.middleware.refusals import CANT_USE_INPUTS
from ui.middleware.request_limits import KB, RequestLimits, size_text

# Names that clients invent. Gradio keeps thousands of them, some until it ends.
NAMES = ("session_hash", "event_id", "upload_id")
NAME_CHARACTERS = 100
# The page's own events: a question, a link, the paths of files. Gradio keeps the last inputs of thousands of pages.
PAGE_EVENT_BYTES = 256 * KB


class EventCheck:
    """Refuses long names, invalid texts, large inputs of the page's own events, many files, and addresses as files."""

    def __init__(self, limits: RequestLimits) -> None:
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
        files = 0
        for value in _values(body):
            if isinstance(value, str) and not _is_complete(value):
                raise HTTPException(422, "A text has half of a character (a lone surrogate).")
            if (path := _file_path(value)) is not None:
                files += 1
                if path.lower().startswith(("http:", "https:")):
                    raise HTTPException(422, "A file must be uploaded: this page fetches no addresses.")
            if files > self._limits.files:
                raise HTTPException(413, f"An event may name up to {self._limits.files:,} files.")


async def refuse_unknown_event(request: Request, error: Exception) -> JSONResponse:
    """Answer what Gradio can't even start: an event that the page hasn't, or parameters with other names."""
    if not EVENTS.allows(request.scope):
        raise error
    return JSONResponse({"detail": CANT_USE_INPUTS}, 422)


# What Gradio raises then. Without a handler, each such request would be a traceback in the log.
UNKNOWN_EVENT = dict.fromkeys((FnIndexInferError, KeyError, TypeError), refuse_unknown_event)


def _is_public(request: Request, body: dict[str, Any]) -> bool:
    """Whether an event belongs to the API for programs, however the request names it."""
    name, number = request.path_params.get("api_name"), body.get("fn_index")
    functions = request.app.get_blocks().fns.values()
    named = [each for each in functions if each.api_name == name or each._id == number]
    return bool(named) and all(each.api_visibility == "public" for each in named)


def _values(value: Any) -> Iterator[Any]:
    """Yield all values and names in a JSON value."""
    values = [value]
    while values:
        yield (each := values.pop())
        if isinstance(each, dict):
            values.extend(each)
            values.extend(each.values())
        elif isinstance(each, list):
            values.extend(each)


def _file_path(value: Any) -> str | None:
    """Return the path of a file, as Gradio finds it, or None."""
    path = value.get("path") if isinstance(value, dict) and "meta" in value else None
    return path if isinstance(path, str) else None


def _is_complete(text: str) -> bool:
    """Return whether a text can be sent: JSON can name half of a character, which fails wherever it's encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
