"""Moves the traffic of an endpoint from one version to another, and back if that fails."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

from backends import SpaceportError
from cloud.calls import CloudError, Say
from cloud.vertex import aliases as marks
from cloud.vertex import calls
from cloud.vertex.aliases import with_alias
from cloud.vertex.client import Vertex, deployed


def update(vertex: Vertex, say: Say) -> None:
    """Bring the version of the settings into service; it is registered first if it is new."""
    chosen = vertex.settings
    for resource in (chosen.model, chosen.endpoint):
        vertex.settle(resource, say)
    if not deployed(vertex.endpoint()):
        raise CloudError("Nothing is in service that could be updated.", "Run deploy first.")
    with _resumable("update", say):
        if with_alias(vertex.versions(), calls.alias(chosen)) is None:
            vertex.do(calls.upload(chosen, into=True), say)
        version = with_alias(vertex.versions(), calls.alias(chosen))
        if version is None:
            raise CloudError("The new version is not in the registry though it was uploaded.")
        promote(vertex, version, marks.UPDATING, say)


def rollback(vertex: Vertex, say: Say) -> None:
    """Bring back what is live if an update is not done, else the version before it."""
    vertex.settle(vertex.settings.endpoint, say)
    versions = vertex.versions()
    if not deployed(vertex.endpoint()):
        raise CloudError("Nothing is in service that could be rolled back.", "Run deploy first.")
    previous = with_alias(versions, calls.PREVIOUS)
    target = with_alias(versions, marks.ROLLING_BACK)  # one that was interrupted goes on
    if target is None and with_alias(versions, marks.UPDATING):
        target = with_alias(versions, calls.LIVE)
    target = target or previous
    if target is None:
        raise CloudError("There is no version before this one.", "Change the settings and run update.")
    with _resumable("rollback", say):
        promote(vertex, target, marks.ROLLING_BACK, say)


def promote(vertex: Vertex, version: Any, intent: str, say: Say) -> None:
    """Deploy the version beside what is there, move the traffic to it, then undeploy the rest."""
    others = [each for each, _ in deployed(vertex.endpoint()) if each.model_version_id != version.version_id]
    _move(vertex, version, intent, others[0].id if others else None, say)
    for each in others:
        vertex.do(calls.undeploy(vertex.settings, each.id), say)
    marks.done(vertex, version, say)
    say(f"Version {version.version_id} is in service.")


@contextlib.contextmanager
def _resumable(command: str, say: Say) -> Iterator[None]:
    """What stops it says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"Stopped. Go on: run {command} again. Back to what was live: run rollback.")
        raise
    except SpaceportError as error:
        raise CloudError(error.message, f"{error.remedy} Then run {command} again.".strip()) from error


def _move(vertex: Vertex, version: Any, intent: str, old: str | None, say: Say) -> None:
    """Bring the traffic to the version; if that fails, back to `old`, which had most of it."""
    try:
        marks.begun(vertex, version, intent, say)
        new = _beside(vertex, version, say)
        # A rollback is for a version that fails: each step on the way would let more requests fail.
        _shift(vertex, new.id, old, vertex.settings.shares if intent == marks.UPDATING else (100,), say)
    except SpaceportError as error:
        if old is None or calls.LIVE in version.version_aliases:  # what a half-done update has is no way back
            raise
        say(f"  That failed: {error.message}")
        try:
            _back(vertex, version, old, say)
            marks.ended(vertex, version, intent, say)
        except SpaceportError as second:
            left = f"{error.message} Nor could all of it be taken back: {second.message}"
            raise CloudError(left, f"{second.remedy} What serves now: status.") from second
        raise CloudError(f"{error.message} The old version has all the traffic.", error.remedy) from error


def _beside(vertex: Vertex, version: Any, say: Say) -> Any:
    """The version as it is deployed; without any traffic if it was not."""
    if found := _deployed(vertex, version):
        return found
    shares = {each.id: share for each, share in deployed(vertex.endpoint()) if share}
    split = shares | {calls.NEW: 0} if shares else None
    vertex.do(calls.deploy(vertex.settings, version.version_id, _machine(version), split), say)
    if found := _deployed(vertex, version):
        return found
    raise CloudError("The new version is not deployed though that ended well.", "Look at status.")


def _shift(vertex: Vertex, new: str, old: str | None, shares: tuple[int, ...], say: Say) -> None:
    """Give the new one its shares, step by step, and look at it before each next one."""
    has = dict(vertex.endpoint().traffic_split).get(new, 0)
    for share in [each for each in shares if each > has]:
        if old is None and share < 100:
            continue  # nothing else is there that could answer the rest
        rest = {old: 100 - share} if old and share < 100 else {}
        why = f"{share} % of the traffic to the new version"
        vertex.do(calls.split(vertex.settings, {new: share} | rest, why), say)
        if share < 100:
            time.sleep(vertex.settings.step_seconds)
        _look_at(vertex, new)


def _look_at(vertex: Vertex, new: str) -> None:
    """Raise if Vertex AI says that no replica of it works; it does not always say."""
    for each, _ in deployed(vertex.endpoint()):
        if each.id == new and "status" in each and not each.status.available_replica_count:
            said = f": “{each.status.message}”" if each.status.message else ""
            raise CloudError(f"The new version has no replica that works{said}.", "Look at its container's log.")


def _back(vertex: Vertex, version: Any, old: str, say: Say) -> None:
    vertex.settle(vertex.settings.endpoint, say)
    if dict(vertex.endpoint().traffic_split).get(old) != 100:
        vertex.do(calls.split(vertex.settings, {old: 100}, "All the traffic back to the old version"), say)
    if new := _deployed(vertex, version):
        vertex.do(calls.undeploy(vertex.settings, new.id), say)


def _deployed(vertex: Vertex, version: Any) -> Any:
    found = [each for each, _ in deployed(vertex.endpoint()) if each.model_version_id == version.version_id]
    return found[0] if found else None


def _machine(version: Any) -> dict[str, Any] | None:
    """The machine that the version was registered with; that of the settings if somebody changed its description."""
    try:
        found = json.loads(version.version_description)
        return found if "machineSpec" in found else None
    except (ValueError, TypeError):
        return None
