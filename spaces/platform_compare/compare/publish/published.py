"""The results of a dataset for all visitors of a page: read now and then, and kept if the Hub doesn't answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from backends.hub.client import Hub
from backends.hub.errors import HubError
from backends.stopwatch import now
from compare.publish.results import Results, read_results

SETTING = "SPACEPORT_RESULTS"
FRESH_SECONDS, RETRY_SECONDS = 300.0, 30.0
SILENCE_SECONDS = 10.0  # a visitor waits for the Hub


class PublishedResults:
    """Results of the dataset `name`; after `fresh_seconds` they are read again when somebody looks."""

    def __init__(self, name: str, hub: Hub, *, fresh_seconds: float = FRESH_SECONDS) -> None:
        self.name = name
        self._hub = hub
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._results: Results | None = None
        self._error: HubError | None = None
        self._until = 0.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> PublishedResults | None:
        """Return the results of the dataset that SPACEPORT_RESULTS names, or None."""
        name = environment.get(SETTING, "").strip()
        return cls(name, Hub(silence_seconds=SILENCE_SECONDS)) if name else None

    @property
    def address(self) -> str:
        """Where the dataset is."""
        return f"{self._hub.api.endpoint}/datasets/{self.name}"

    def read(self) -> tuple[Results | None, HubError | None]:
        """Return the results, which may be from before an error, and the error of the last time, if any.

        While somebody reads the dataset again, others get what there was.
        """
        if not self._lock.acquire(blocking=self._results is None):
            return self._results, self._error
        try:
            if now() >= self._until:
                self._read()
            return self._results, self._error
        finally:
            self._lock.release()

    def _read(self) -> None:
        try:
            self._results, self._error = read_results(self._hub, self.name), None
        except HubError as error:
            self._error = error
        self._until = now() + (RETRY_SECONDS if self._error else self._fresh_seconds)
