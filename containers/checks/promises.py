"""A promise of an image as a row: what was promised, whether it was kept, what was seen; and those of all images."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from backends import BackendError
from containers import images


@dataclass(frozen=True, slots=True)
class Row:
    """One promise, whether it was kept, and what was seen."""

    promise: str
    kept: bool
    seen: str


class Broken(Exception):
    """A promise that was not kept; its text says what was seen instead."""


def want(kept: object, otherwise: str) -> None:
    """Raise `Broken` with what was seen unless the promise was kept."""
    if not kept:
        raise Broken(otherwise)


def tried(promise: str, trial: Callable[[], str]) -> Row:
    """The row of a promise, from a trial that gives what it saw, or raises."""
    try:
        return Row(promise, True, trial())
    except (Broken, BackendError, httpx2.HTTPError, ValueError, KeyError) as error:
        return Row(promise, False, str(error) or type(error).__name__)


def inspected(client: Any, image: str, most_mb: int) -> Iterator[Row]:
    """What can be seen of an image without running it."""
    config = client.images.get(image).attrs["Config"]
    size = images.size(client, image)
    user, labels = config.get("User", ""), config.get("Labels") or {}
    yield Row(f"at most {most_mb} MB", size.real <= most_mb, str(size))
    yield Row("a numeric user", user.partition(":")[0].isdecimal() and user[:1] != "0", user)
    entry = config.get("Entrypoint") or []
    yield Row("its entrypoint is no shell", bool(entry) and entry[0] not in ("sh", "/bin/sh", "bash"), " ".join(entry))
    test = (config.get("Healthcheck") or {}).get("Test") or ["none"]
    yield Row("a health check without a shell", test[0] == "CMD" and "curl" not in test, " ".join(test[1:]))
    named = [name.rpartition(".")[2] for name in labels if name.startswith("org.opencontainers.image.")]
    yield Row("labels", {"title", "licenses", "version", "revision"} <= set(named), ", ".join(named))


def user(container: Any) -> str:
    """Who it runs as, unless that is root."""
    said = container.exec_run(["id", "-u"]).output.decode().strip()
    want(said not in ("", "0"), f"it runs as {said}")
    return f"user {said}"


def read_only(container: Any) -> str:
    """What a try to write into the root file system says."""
    done = container.exec_run(["python", "-c", "open('/app/written', 'w')"])
    want(done.exit_code != 0, "a file could be written")
    return done.output.decode().strip().splitlines()[-1]


def healthy(container: Any, patience: float = 120) -> str:
    """The state of the image's own health check, once it is decided."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        container.reload()
        if (state := container.attrs["State"]["Health"]["Status"]) != "starting":
            break
        time.sleep(0.5)
    want(state == "healthy", state + ": " + json.dumps(container.attrs["State"]["Health"].get("Log", [])[-1:]))
    return state
