"""An asynchronous endpoint as a target: question and answer are files in S3."""

from __future__ import annotations

import threading
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

from backends import Health, Interrupted, Rejected, TimedOut, Unreachable
from backends.chat.reader import ChatReader
from backends.chat.requests import chat_body
from backends.chat.sse import DONE
from backends.settings import read_settings
from backends.streams import iterate_in_thread
from backends.text import one_line, to_json
from backends.types import Backend, ChatRequest, Event
from cloud.calls import CloudError
from cloud.sagemaker.session import AwsSession, or_none, translate_errors

CHECK_LOG = "Check its log in CloudWatch, under /aws/sagemaker/Endpoints."


@dataclass(frozen=True, slots=True)
class AsyncSettings:
    """`output` is the deployment's s3:// prefix; questions are stored below it until they are answered.

    S3 is polled every `poll_seconds`, for at most `timeout_seconds`: the first instance takes minutes to start.
    """

    endpoint: str
    output: str
    region: str
    profile: str | None = None
    url: str | None = None
    poll_seconds: float = 1.0
    timeout_seconds: float = 1800.0


def connect(settings: Mapping[str, object]) -> Backend:
    """Return a client for the endpoint; it sends nothing before the first request."""
    return AsyncEndpoint(read_settings(AsyncSettings, settings))


class AsyncEndpoint:
    """Sends requests through `InvokeEndpointAsync`, which never streams: the answer is one delta."""

    local = False

    def __init__(self, settings: AsyncSettings) -> None:
        self._settings = settings
        self._session = AwsSession(settings.region, settings.profile, settings.url)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer when its file exists; see `backends.types.Backend`."""
        reader = ChatReader()

        def answer(cancelled: threading.Event) -> Iterator[str]:
            yield self._answer(request, cancelled)

        async for text in iterate_in_thread(answer):
            for delta in [*reader.read(text), *reader.finish([DONE])]:
                yield delta
        yield reader.done

    async def check(self) -> Health:
        """Return only that the endpoint is configured: a request could start an instance."""
        return Health(self._settings.endpoint, None)

    async def aclose(self) -> None:
        """Do nothing: each call has its own connection."""

    def _describe(self, problem: str) -> str:
        return f"The asynchronous endpoint {self._settings.endpoint} {problem}"

    def _answer(self, request: ChatRequest, cancelled: threading.Event) -> str:
        """Upload the question, wait for the answer, and delete the question."""
        settings = self._settings
        bucket, _, prefix = settings.output.removeprefix("s3://").partition("/")
        key = f"{prefix.rstrip('/')}/questions/{uuid.uuid4().hex}.json".lstrip("/")
        body = to_json(chat_body(request, model=None, stream=False)).encode()
        try:
            self._session.request("s3", "PutObject", Bucket=bucket, Key=key, Body=body, ContentType="application/json")
            try:
                response = self._session.request(
                    "sagemaker-runtime",
                    "InvokeEndpointAsync",
                    EndpointName=settings.endpoint,
                    InputLocation=f"s3://{bucket}/{key}",
                    ContentType="application/json",
                )
                return self._wait_for_answer(response["OutputLocation"], response.get("FailureLocation"), cancelled)
            finally:
                self._session.request("s3", "DeleteObject", Bucket=bucket, Key=key)
        except CloudError as error:
            raise Unreachable(str(error), remedy=error.remedy) from error

    def _wait_for_answer(self, output: str, failure: str | None, cancelled: threading.Event) -> str:
        """Poll S3 until the file of the answer or of the failure exists."""
        settings = self._settings
        for _ in range(max(1, round(settings.timeout_seconds / settings.poll_seconds))):
            if (text := self._read(output)) is not None:
                return text
            if failure and (text := self._read(failure)) is not None:
                raise Rejected(self._describe(f"failed: {one_line(text)}"), CHECK_LOG, status=500)
            if cancelled.wait(settings.poll_seconds):
                raise Interrupted(self._describe("no longer has a reader."), remedy="Try again.")
        raise TimedOut(
            self._describe(f"has not answered after {settings.timeout_seconds:g} s."),
            remedy="Run `status`, or wait longer.",
        )

    def _read(self, location: str) -> str | None:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        client = self._session.client("s3")
        with translate_errors("GetObject"):
            file = or_none(lambda: client.get_object(Bucket=bucket, Key=key))
            return file["Body"].read().decode("utf-8", "replace") if file else None
