"""Feedback that waits in the Redis of all replicas until one of them has sent it: none is lost with a replica."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import threading
from typing import Any

from backends import SpaceportError
from ui.admission.replicas import Replicas

logger = logging.getLogger(__name__)
SEND_SECONDS = 300.0
SENDING_SECONDS = 600  # after that, another replica may send what one has begun
MAX_LINES = 1000


class FeedbackQueue:
    """Sends the lines of all replicas to a dataset; `api` is a `huggingface_hub.HfApi`.

    What is sent, and its file's name, is fixed before: a replica that is killed while it sends leaves no line out, and
    the next one writes the same file.
    """

    def __init__(self, replicas: Replicas, dataset: str, api: Any, *, seconds: float = SEND_SECONDS) -> None:
        self._replicas, self._dataset, self._api, self._seconds = replicas, dataset, api, seconds
        self._lines, self._batch, self._sender = (f"{{spaceport:feedback}}:{name}" for name in ("lines", "batch", "by"))
        self._ending = threading.Event()
        threading.Thread(target=self._send_regularly, name="send-feedback", daemon=True).start()

    def add(self, line: str) -> bool:
        """Let a line wait; return whether Redis has it."""
        try:
            self._run("rpush", self._lines, line)
        except SpaceportError:
            return False
        return True

    def send(self) -> int:
        """Send what waits, if no other replica does; return how many lines."""
        name = secrets.token_hex(8)
        if not self._run("set", self._sender, name, nx=True, ex=SENDING_SECONDS):
            return 0
        try:
            return self._send_batch()
        finally:
            with contextlib.suppress(SpaceportError):
                if self._run("get", self._sender) == name.encode():
                    self._run("delete", self._sender)

    def close(self) -> None:
        """Send nothing more; what waits is for the other replicas, and for the next start."""
        self._ending.set()

    def _send_batch(self) -> int:
        waiting = min(int(self._run("llen", self._lines)), MAX_LINES)
        self._run("set", self._batch, waiting, nx=True)
        count = int(self._run("get", self._batch))
        lines = self._run("lrange", self._lines, 0, count - 1) if count else []
        if lines:
            self._commit(b"".join(line + b"\n" for line in lines))
        self._replicas.run(lambda redis: self._remove(redis, count))
        return len(lines)

    async def _remove(self, redis: Any, count: int) -> None:
        async with redis.pipeline(transaction=True) as pipeline:
            await pipeline.ltrim(self._lines, count, -1).delete(self._batch).execute()

    def _commit(self, data: bytes) -> None:
        self._api.create_repo(self._dataset, repo_type="dataset", private=True, exist_ok=True)
        self._api.upload_file(
            path_or_fileobj=data,
            path_in_repo=f"feedback-{hashlib.sha256(data).hexdigest()[:16]}.jsonl",
            repo_id=self._dataset,
            repo_type="dataset",
        )

    def _run(self, command: str, *arguments: Any, **options: Any) -> Any:
        return self._replicas.run(lambda redis: getattr(redis, command)(*arguments, **options))

    def _send_regularly(self) -> None:
        while not self._ending.wait(self._seconds):
            try:
                self.send()
            except Exception as error:  # the Hub's client raises its own errors, and those of HTTP
                logger.warning("Feedback could not be shared (%s).", type(error).__name__)
