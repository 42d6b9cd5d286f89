"""An asynchronous endpoint as a target: the question is a file in S3, and so is the answer."""

from __future__ import annotations

import threading
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

from backends import Health, Interrupted, Rejected, TimedOut, Unreachable
from backends.chat import events as wire
from backends.settings import read_settings
from backends.streams import in_thread
from backends.text import one_line, to_json
from backends.types import Backend, ChatRequest, Event
from cloud.calls import CloudError
from cloud.sagemaker.session import Session, present, translated

LOOK = "Look at its log in CloudWatch, under /aws/sagemaker/Endpoints."


@dataclass(frozen=True, slots=True)
class Settings:
    """`output` is the s3:// prefix of the deployment; what is asked lies beside the answers, until it is answered.

    S3 is looked into every `poll_seconds`, for at most `timeout_seconds`: the first instance takes minutes to come.
    """

    endpoint: str
    output: str
    region: str
    profile: str | None = None
    url: str | None = None
    poll_seconds: float = 1.0
    timeout_seconds: float = 1800.0


def connect(settings: Mapping[str, object]) -> Backend:
    """A client for the endpoint; nothing is sent before the first request."""
    return AsyncEndpoint(read_settings(Settings, settings))


class AsyncEndpoint:
    """Asks through `InvokeEndpointAsync`, which never streams: the whole answer is one piece."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = Session(settings.region, settings.profile, settings.url)
        self._what = f"The asynchronous endpoint {settings.endpoint}"

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer when its file is there; see `backends.types.Backend`."""
        reader = wire.ChatReader()

        def ask(gone: threading.Event) -> Iterator[str]:
            yield self._answer(request, gone)

        async for text in in_thread(ask):
            for delta in reader.read(text) + reader.finish([wire.DONE]):
                yield delta
        yield reader.done

    async def check(self) -> Health:
        """Say nothing more than that it is set up: asking could start an instance."""
        return Health(self._settings.endpoint, None)

    async def aclose(self) -> None:
        """Nothing to do: each call has its own connection."""

    def _told(self, text: str) -> str:
        return f"{self._what} {text}"

    def _answer(self, request: ChatRequest, gone: threading.Event) -> str:
        """Put the question, wait for the answer, leave nothing behind."""
        chosen = self._settings
        bucket, _, prefix = chosen.output.removeprefix("s3://").partition("/")
        key = f"{prefix.rstrip('/')}/asked/{uuid.uuid4().hex}.json".lstrip("/")
        body = to_json(wire.chat_body(request, model=None, stream=False)).encode()
        try:
            self._session.ask("s3", "PutObject", Bucket=bucket, Key=key, Body=body, ContentType="application/json")
            try:
                asked = self._session.ask(
                    "sagemaker-runtime",
                    "InvokeEndpointAsync",
                    EndpointName=chosen.endpoint,
                    InputLocation=f"s3://{bucket}/{key}",
                    ContentType="application/json",
                )
                return self._waited(asked["OutputLocation"], asked.get("FailureLocation"), gone)
            finally:
                self._session.ask("s3", "DeleteObject", Bucket=bucket, Key=key)
        except CloudError as error:
            raise Unreachable(str(error), remedy=error.remedy) from error

    def _waited(self, output: str, failure: str | None, gone: threading.Event) -> str:
        """The answer's file as soon as it is there."""
        chosen = self._settings
        for _ in range(max(1, round(chosen.timeout_seconds / chosen.poll_seconds))):
            if (text := self._read(output)) is not None:
                return text
            if failure and (text := self._read(failure)) is not None:
                raise Rejected(self._told(f"failed: {one_line(text)}"), LOOK, status=500)
            if gone.wait(chosen.poll_seconds):
                raise Interrupted(self._told("was left."), remedy="Ask again.")
        raise TimedOut(
            self._told(f"has not answered after {chosen.timeout_seconds:g} s."), remedy="See `status`, or wait longer."
        )

    def _read(self, location: str) -> str | None:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        client = self._session.client("s3")
        with translated("GetObject"):
            found = present(lambda: client.get_object(Bucket=bucket, Key=key))
            return found["Body"].read().decode("utf-8", "replace") if found else None
