"""The result of a check, and the checks that apply to every image."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from backends import BackendError
from containers import images

START_SECONDS = 10.0  # until a request is seen in the metrics


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One promise of an image, and whether the check of it passed."""

    promise: str
    passed: bool
    detail: str


class CheckFailed(Exception):
    """A check failed; the text says what it saw instead."""


def require(condition: object, failure: str) -> None:
    """Raise `CheckFailed` with the text `failure` unless the condition is true."""
    if not condition:
        raise CheckFailed(failure)


def run_check(promise: str, check: Callable[..., str], *arguments: Any) -> CheckResult:
    """Call a check, which returns a detail or raises an error, and return its result."""
    try:
        return CheckResult(promise, True, check(*arguments))
    except (CheckFailed, BackendError, httpx2.HTTPError, ValueError, KeyError) as error:
        return CheckResult(promise, False, str(error) or type(error).__name__)


def inspect_image(client: Any, image: str, max_mb: int) -> Iterator[CheckResult]:
    """Check what an image shows without running it."""
    config = client.images.get(image).attrs["Config"]
    size = images.image_size(client, image)
    user, labels = config.get("User", ""), config.get("Labels") or {}
    yield CheckResult(f"at most {max_mb} MB", size.on_official_base <= max_mb, str(size))
    yield CheckResult("a numeric user", user.partition(":")[0].isdecimal() and user[:1] != "0", user)
    entry = config.get("Entrypoint") or []
    no_shell = bool(entry) and entry[0] not in ("sh", "/bin/sh", "bash")
    yield CheckResult("an entrypoint without a shell", no_shell, " ".join(entry))
    test = (config.get("Healthcheck") or {}).get("Test") or ["none"]
    yield CheckResult("a health check without a shell", test[0] == "CMD" and "curl" not in test, " ".join(test[1:]))
    names = [name.rpartition(".")[2] for name in labels if name.startswith("org.opencontainers.image.")]
    yield CheckResult("labels", {"title", "licenses", "version", "revision"} <= set(names), ", ".join(names))


def inspect_container(container: Any, prefix: str = "") -> Iterator[CheckResult]:
    """Check that a running container is confined and healthy."""
    yield run_check(f"{prefix}not root", _user, container)
    yield run_check(f"{prefix}a read-only root file system", _read_only, container)
    yield run_check(f"{prefix}the health check passes", _health, container)


def answer_and_stop(container: Any, url: str, answer: Callable[[], str]) -> str:
    """Stop a container during an answer; return what `answer` says of it once it's read to its end."""
    stop = threading.Thread(target=_stop_once_it_answers, args=(container, url))
    stop.start()
    text = answer()
    stop.join()
    return f"{text}, {exit_status(container)}"


def exit_status(container: Any) -> str:
    """Check that a container has ended with status 0."""
    container.reload()
    code = container.attrs["State"]["ExitCode"]
    require(code == 0, f"it exited with {code}")
    return f"exit status {code}"


def _stop_once_it_answers(container: Any, url: str) -> None:
    """Stop a container as soon as its metrics show a request."""
    deadline = time.monotonic() + START_SECONDS
    while "spaceport_requests_in_flight 1.0" not in httpx2.get(f"{url}/metrics", timeout=START_SECONDS).text:
        if time.monotonic() > deadline:
            break  # the answer was faster than the look
        time.sleep(0.02)
    container.stop(timeout=30)


def _user(container: Any) -> str:
    user = container.exec_run(["python", "-c", "import os; print(os.getuid())"]).output.decode().strip()
    require(user not in ("", "0"), f"it runs as {user}")
    return f"user {user}"


def _read_only(container: Any) -> str:
    result = container.exec_run(["python", "-c", "open('/app/new-file', 'w')"])
    require(result.exit_code != 0, "it can write a file")
    return str(result.output.decode().strip().splitlines()[-1])


def _health(container: Any, timeout: float = 120) -> str:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        container.reload()
        if (state := container.attrs["State"]["Health"]["Status"]) != "starting":
            break
        time.sleep(0.5)
    require(state == "healthy", state + ": " + json.dumps(container.attrs["State"]["Health"].get("Log", [])[-1:]))
    return str(state)
