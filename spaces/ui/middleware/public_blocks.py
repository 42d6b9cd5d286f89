"""Gradio's page for events from anybody: their inputs are what the handlers declare, or the event is refused."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, get_type_hints

import gradio as gr
from gradio.processing_utils import check_all_files_in_cache
from gradio.utils import run_coro_in_background
from pydantic import ConfigDict, TypeAdapter, ValidationError

from ui.middleware.direct_calls import current_call
from ui.middleware.refusals import CANT_USE_INPUTS, CLIENT_LEFT, Refusal, invalid
from ui.session_state import UnreadMessages

# A NaN isn't comparable, and an infinite number has no integer.
STRICT = ConfigDict(strict=True, allow_inf_nan=False)
# How often Gradio looks for a new event and for news of those that run. It does so 1,000 and 100 times a second, which
# takes 6 % of a processor while nobody has the page open, and 0.7 % with these (Gradio 6.31, 2026-11-29).
EVENT_SECONDS = 0.01
PROGRESS_SECONDS = 0.1


class PublicBlocks(gr.Blocks):
    """Checks what an event contains, once for all handlers.

    Gradio passes any JSON value to a handler, whose error would then be a traceback in the log for each such event.
    """

    def run_startup_events(self) -> None:
        """Start the queue of events, and forget what nobody reads of it."""
        self._queue.sleep_when_free = EVENT_SECONDS
        self._queue.progress_update_sleep_when_free = PROGRESS_SECONDS
        super().run_startup_events()  # type: ignore[no-untyped-call]
        run_coro_in_background(UnreadMessages(self._queue).drop_regularly)

    async def process_api(self, block_fn: Any, *arguments: Any, **options: Any) -> Any:
        """Run an event; a direct call gets the reason of a refusal."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        call = current_call.get()
        try:
            _check_event_data(function.fn, options.get("event_data"))
            return await super().process_api(block_fn, *arguments, **options)
        except Refusal as refused:
            if call:
                call.refusal = refused
            raise
        except asyncio.CancelledError:
            if call and call.client_left:  # Gradio would log this as an error
                raise Refusal(CLIENT_LEFT) from None
            raise

    async def preprocess_data(self, block_fn: Any, *arguments: Any, **options: Any) -> list[Any]:
        """Return the arguments of the handler."""
        try:
            values = await super().preprocess_data(block_fn, *arguments, **options)
        except Exception as error:  # whatever a component raises, the value is the sender's
            raise Refusal(CANT_USE_INPUTS) from error
        if any(
            isinstance(block, gr.Dataset) and value is None
            for block, value in zip(block_fn.inputs, values, strict=True)
        ):
            raise Refusal(CANT_USE_INPUTS)  # Gradio's own handler expects an example
        _check_values(block_fn.fn, values)
        return values  # type: ignore[no-any-return]


def _check_values(handler: Callable[..., Any], values: list[Any]) -> None:
    """Raise `Refusal` if a value isn't what the handler declares."""
    for (name, expected), value in zip(_expected(handler), values, strict=False):
        try:
            expected.validate_python(value)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False, include_input=False)[0]["msg"]
            raise invalid(name, problem.replace("Input should", "it should")) from error


def _check_event_data(handler: Callable[..., Any] | None, event_data: Any) -> None:
    """Raise `Refusal` if Gradio can't make what the handler wants to know about an event."""
    wanted = _event_data(handler) if handler and event_data else None
    if wanted:
        try:
            check_all_files_in_cache(event_data._data)
            wanted(event_data.target, event_data._data)
        except Exception as error:
            raise Refusal(CANT_USE_INPUTS) from error


@cache
def _expected(handler: Callable[..., Any]) -> list[tuple[str, TypeAdapter[Any]]]:
    """Return the name and the type of each parameter whose value comes from the client."""
    return [
        (name, TypeAdapter(hint, config=STRICT))
        for name, hint in _parameters(handler)
        if not (inspect.isclass(hint) and issubclass(hint, (gr.Request, gr.EventData)))
    ]


@cache
def _event_data(handler: Callable[..., Any]) -> type[gr.EventData] | None:
    """Return the class in which the handler wants what is known about an event, or None."""
    hints = (hint for _, hint in _parameters(handler))
    return next((hint for hint in hints if inspect.isclass(hint) and issubclass(hint, gr.EventData)), None)


def _parameters(handler: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(handler)
    for name in inspect.signature(handler).parameters:
        yield name, hints.get(name, Any)
