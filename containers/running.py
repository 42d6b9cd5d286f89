"""Runs an image the way a careful operator does: not as root, on a root file system that cannot be written."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from containers.images import ContainerError

LABEL = "spaceport"


@contextlib.contextmanager
def running(
    client: Any, image: str, *, port: int = 8080, ready: str = "/ready", patience: float = 120, **options: Any
) -> Iterator[tuple[Any, str]]:
    """A container of `image` and its URL once `ready` says 200; removed on the way out, whatever happens.

    `options` go to `docker run`. `ContainerError` holds its last words if it ends, or is not ready in time.
    """
    container = start(client, image, port=port, **options)
    try:
        url = address(container, port)
        wait(container, f"{url}{ready}", patience)
        yield container, url
    finally:
        container.remove(force=True, v=True)


def start(client: Any, image: str, *, port: int, environment: Mapping[str, str] | None = None, **options: Any) -> Any:
    """Start a container with its port on a free one of loopback."""
    from docker.errors import DockerException

    try:
        return client.containers.run(
            image,
            detach=True,
            ports={f"{port}/tcp": ("127.0.0.1", None)},
            environment=dict(environment or {}),
            labels={LABEL: "check"},
            **HARDENED | options,
        )
    except DockerException as error:
        raise ContainerError(f"{image} could not be started ({error}).", "Build it first.") from error


HARDENED: Mapping[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,size=256m"},  # noqa: S108 - inside the container
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "pids_limit": 512,
}


def address(container: Any, port: int) -> str:
    """The URL on this machine of a container's port."""
    for _ in range(50):
        container.reload()
        if bound := container.ports.get(f"{port}/tcp"):
            return f"http://127.0.0.1:{bound[0]['HostPort']}"
        time.sleep(0.1)
    raise ContainerError(f"The container ended before its port was open: {last_words(container)}", "Mend what it says.")


def wait(container: Any, url: str, patience: float) -> float:
    """Seconds until `url` answers 200."""
    began = time.monotonic()
    while (spent := time.monotonic() - began) < patience:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(url, timeout=2).status_code == 200:
                return spent
        container.reload()
        if container.status in ("exited", "dead"):
            code = container.attrs["State"]["ExitCode"]
            raise ContainerError(f"The container ended with {code}: {last_words(container)}", "Mend what it says.")
        time.sleep(0.1)
    raise ContainerError(f"{url} was not ready within {patience:g} s: {last_words(container)}", "Give it more time.")


def last_words(container: Any) -> str:
    """The last line of a container's log; of a JSON line its message."""
    lines = container.logs(tail=1).decode("utf-8", "replace").strip().splitlines()
    text = lines[-1] if lines else "it said nothing"
    with contextlib.suppress(ValueError, AttributeError):
        said = json.loads(text)
        text = " ".join(filter(None, (said.get("message"), said.get("remedy"))))
    return text
