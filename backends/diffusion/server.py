"""The kind `backends.diffusion.server`: a server with OpenAI's API for pictures, such as containers/diffusion."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backends.chat.failures import server_failure
from backends.chat.sse import DONE, BadEvent, SSEDecoder
from backends.diffusion.types import (
    GeneratedPicture,
    PictureEvent,
    PictureGenerator,
    PictureRequest,
    Pictures,
    Progress,
    Queued,
)
from backends.errors import BackendError, Interrupted, Rejected, Unreachable
from backends.http.client import get_json, post_stream, read_document
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import translate_errors
from backends.http.settings import HttpSettings
from backends.kinds.openai import base_url, model_cards
from backends.settings import read_settings
from backends.types import Health

PATH = "/images/generations"


@dataclass(frozen=True, slots=True)
class ServerSettings(HttpSettings):
    """`url` is the server's address, with or without /v1; `model` can be left out if the server has only one."""

    url: str
    api_key: str | None = None
    model: str | None = None


def connect(settings: Mapping[str, Any]) -> ServerGenerator:
    """Return a client for the server at `url`; makes no request yet."""
    options = read_settings(ServerSettings, settings)
    endpoint = Endpoint(base_url(options.url), options.api_key or None, *options.timeouts, network=options.network)
    return ServerGenerator(endpoint, options.model or None)


class ServerGenerator(PictureGenerator):
    """Streams from `{endpoint.url}/images/generations`; leaving the stream ends the work on the server."""

    local = False

    def __init__(self, endpoint: Endpoint, model: str | None = None) -> None:
        self._endpoint = endpoint
        self._model = model

    async def check(self) -> Health:
        """Ask which model the server has."""
        cards = model_cards(await get_json(self._endpoint, "/models"))
        if not cards:
            raise self._not_a_picture_server()
        return Health(model=self._model or str(cards[0].get("id", "unnamed")))

    async def generate(self, request: PictureRequest) -> AsyncIterator[PictureEvent]:
        """Yield the progress and the pictures; see `PictureGenerator`."""
        body = _body(request) | ({"model": self._model} if self._model else {})
        async with post_stream(self._endpoint, PATH, body) as response:
            if "json" in response.headers.get("content-type", ""):  # a server that doesn't stream
                yield self._document(await read_document(self._endpoint, response))
                return
            reader = _EventReader(request)
            with translate_errors(self._endpoint):
                async for chunk in response.aiter_bytes():
                    for event in self._read(reader, chunk):
                        yield event
        yield reader.end(self._endpoint)

    def _read(self, reader: _EventReader, chunk: bytes) -> Iterator[PictureEvent]:
        try:
            yield from reader.feed(chunk, self._endpoint)
        except (BadEvent, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise self._not_a_picture_server() from error

    def _document(self, content: bytes) -> Pictures:
        try:
            document = json.loads(content)
            return Pictures(tuple(map(_picture, document["data"])), int(document.get("withheld") or 0))
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise self._not_a_picture_server() from error

    def _not_a_picture_server(self) -> Unreachable:
        return Unreachable(
            f"{self._endpoint.label} answered, but not as a server for pictures.", "Check the url of this target."
        )


class _EventReader:
    """Reads the events of one stream."""

    def __init__(self, request: PictureRequest) -> None:
        self._decoder = SSEDecoder()
        self._pictures: list[GeneratedPicture] = []
        self._withheld = 0
        self._progress = Progress(0, request.steps or 0)

    def feed(self, chunk: bytes, endpoint: Endpoint) -> Iterator[PictureEvent]:
        """Yield what the events in a chunk say; raises the error that one of them has."""
        for text in self._decoder.feed(chunk):
            if text != DONE:
                yield from self._read(json.loads(text), endpoint)

    def end(self, endpoint: Endpoint) -> Pictures:
        """Return the pictures at the end of the stream."""
        if not self._pictures:
            message = f"{endpoint.label} closed the connection before the picture was ready."
            raise Interrupted(message, "Try again.")
        return Pictures(tuple(self._pictures), self._withheld)

    def _read(self, event: Mapping[str, Any], endpoint: Endpoint) -> Iterator[PictureEvent]:
        if error := event.get("error"):
            raise _failure(error, endpoint)
        kind = str(event["type"]).rpartition(".")[2]
        if kind == "queued":
            yield Queued(int(event["position"]) - 1)
        elif kind == "progress":
            self._progress = Progress(int(event["step"]), int(event["steps"]))
            yield self._progress
        elif kind == "partial_image":
            yield Progress(self._progress.step, self._progress.steps, base64.b64decode(event["b64_json"]))
        elif kind == "completed":
            self._pictures.append(_picture(event))
            self._withheld = int(event.get("withheld") or 0)


def _body(request: PictureRequest) -> dict[str, Any]:
    """Return a request in OpenAI's shape; `seed`, `steps`, `guidance` and `negative_prompt` are our server's."""
    fields = {
        "n": request.count if request.count > 1 else None,
        "size": f"{request.size[0]}x{request.size[1]}" if request.size else None,
        "seed": request.seed,
        "steps": request.steps,
        "guidance": request.guidance,
        "negative_prompt": request.negative_prompt or None,
        "partial_images": request.previews or None,
    }
    return {"prompt": request.prompt, "stream": True} | {
        name: each for name, each in fields.items() if each is not None
    }


def _picture(item: Mapping[str, Any]) -> GeneratedPicture:
    seed = item.get("seed")
    return GeneratedPicture(base64.b64decode(item["b64_json"]), seed if isinstance(seed, int) else None)


def _failure(error: Any, endpoint: Endpoint) -> BackendError:
    """Return the error that an event has."""
    code = error.get("code") if isinstance(error, Mapping) else None
    if isinstance(code, int) and 400 <= code < 500 and code != 429:
        words = endpoint.quote(str(error.get("message") or "no reason given"))
        return Rejected(
            f"{endpoint.label} refused the request ({code}): “{words}”.", "Ask in other words.", status=code
        )
    return server_failure(error, endpoint.quote, False)
