"""Feedback that waits in the Redis of all replicas until one of them has sent it: none is lost with a replica."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import threading
from typing import Any

from backends import SpaceportError
from ui.admission.page_redis import PageRedis

logger = logging.getLogger(__name__)
SEND_SECONDS = 300.0
SENDING_SECONDS = 600  # after that, another replica may send what one has begun
# A line has a question with its answer and quotes, some kB. A batch is one command, in the time that Redis has for one;
# all that wait must leave room for the limits.
BATCH_LINES, MAX_WAITING = 50, 2_000

ADD = """
if redis.call('llen', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('rpush', KEYS[1], ARGV[1])
return 1
"""
# KEYS are the lines, the batch and its sender. After too long, another replica is the sender, and this one removes
# nothing.
REMOVE = """
if redis.call('get', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('ltrim', KEYS[1], ARGV[2], -1)
redis.call('del', KEYS[2])
return 1
"""
END = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"


class FeedbackQueue:
    """Sends the lines of all replicas to a dataset; `api` is a `huggingface_hub.HfApi`.

    What is sent, and its file's name, is fixed before: a replica that is killed while it sends leaves no line out, and
    the next one writes the same file.
    """

    def __init__(self, page_redis: PageRedis, dataset: str, api: Any, *, seconds: float = SEND_SECONDS) -> None:
        self._page_redis, self._dataset, self._api, self._seconds = page_redis, dataset, api, seconds
        self._lines, self._batch, self._sender = (f"{{spaceport:feedback}}:{name}" for name in ("lines", "batch", "by"))
        self._ending = threading.Event()
        threading.Thread(target=self._send_regularly, name="send-feedback", daemon=True).start()

    def add(self, line: str) -> bool:
        """Let a line wait; return whether Redis has it: it may be away, or have too many lines already."""
        try:
            return bool(self._run("eval", ADD, 1, self._lines, line, MAX_WAITING))
        except SpaceportError:
            return False

    def send(self) -> int:
        """Send what waits, if no other replica does; return how many lines."""
        name = secrets.token_hex(8)
        if not self._run("set", self._sender, name, nx=True, ex=SENDING_SECONDS):
            return 0
        sent = 0
        try:
            while count := self._send_batch(name):
                sent += count
        finally:
            with contextlib.suppress(SpaceportError):
                self._run("eval", END, 1, self._sender, name)
        return sent

    def close(self) -> None:
        """Send nothing more; what waits is for the other replicas, and for the next start."""
        self._ending.set()

    def _send_batch(self, name: str) -> int:
        """Send some lines; return how many, 0 at the end, or if another replica has taken over."""
        waiting = min(int(self._run("llen", self._lines)), BATCH_LINES)
        self._run("set", self._batch, waiting, nx=True)
        count = int(self._run("get", self._batch) or 0)
        lines = self._run("lrange", self._lines, 0, count - 1) if count else []
        if lines:
            self._commit(b"".join(line + b"\n" for line in lines))
        is_mine = self._run("eval", REMOVE, 3, self._lines, self._batch, self._sender, name, count)
        return len(lines) if is_mine else 0

    def _commit(self, data: bytes) -> None:
        self._api.create_repo(self._dataset, repo_type="dataset", private=True, exist_ok=True)
        self._api.upload_file(
            path_or_fileobj=data,
            path_in_repo=f"feedback-{hashlib.sha256(data).hexdigest()[:16]}.jsonl",
            repo_id=self._dataset,
            repo_type="dataset",
        )

    def _run(self, command: str, *arguments: Any, **options: Any) -> Any:
        return self._page_redis.run(lambda redis: getattr(redis, command)(*arguments, **options))

    def _send_regularly(self) -> None:
        while not self._ending.wait(self._seconds):
            try:
                self.send()
            except Exception as error:  # the Hub's client raises its own errors, and those of HTTP
                logger.warning("Feedback could not be shared (%s).", type(error).__name__)
