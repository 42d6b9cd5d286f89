"""Aliases of a model's versions: which is live, which was before, and which is on its way.

They say after an interruption what was meant: where the traffic is says only how far it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloud.calls import Say
from cloud.vertex.calls import LIVE, PREVIOUS, mark
from cloud.vertex.client import Vertex

UPDATING, ROLLING_BACK = "updating", "rolling-back"
_OURS = {LIVE, PREVIOUS, UPDATING, ROLLING_BACK}


def with_alias(versions: Sequence[Any], alias: str) -> Any:
    """The version that has the alias, or None."""
    return next((each for each in versions if alias in each.version_aliases), None)


def begun(vertex: Vertex, version: Any, intent: str, say: Say) -> None:
    """The version is on its way into service, unless it is live."""
    versions = vertex.versions()
    if with_alias(versions, LIVE) is not None and with_alias(versions, LIVE).version_id == version.version_id:
        return
    for each in versions:
        stale = {UPDATING, ROLLING_BACK} & set(each.version_aliases)
        wanted = {intent} if each.version_id == version.version_id else set()
        _change(vertex, each, stale - wanted, wanted, say)


def ended(vertex: Vertex, version: Any, intent: str, say: Say) -> None:
    """It is not on its way any more."""
    for each in vertex.versions():
        if each.version_id == version.version_id:
            _change(vertex, each, {intent} & set(each.version_aliases), set(), say)


def done(vertex: Vertex, version: Any, say: Say) -> None:
    """The version is live, and what was live is the one before."""
    versions = vertex.versions()
    live = with_alias(versions, LIVE)
    was = live.version_id if live is not None and live.version_id != version.version_id else None

    # An alias leaves one version before another gets it: that it may move at once is not documented.
    def order(each: Any) -> int:
        return 2 if each.version_id == version.version_id else int(each.version_id == was)

    if was is not None:
        for each in versions:
            _change(vertex, each, {PREVIOUS} & set(each.version_aliases), set(), say)
    for each in sorted(vertex.versions(), key=order):
        has = _OURS & set(each.version_aliases)
        wanted = {LIVE} if order(each) == 2 else {PREVIOUS} if order(each) == 1 else has & {PREVIOUS}
        _change(vertex, each, has - wanted, wanted - has, say)


def _change(vertex: Vertex, version: Any, leave: set[str], get: set[str], say: Say) -> None:
    get = get - set(version.version_aliases)
    if leave or get:
        aliases = [*sorted(get), *(f"-{alias}" for alias in sorted(leave))]
        why = f"Aliases of version {version.version_id}: {', '.join(aliases)}"
        vertex.do(mark(f"{vertex.settings.model}@{version.version_id}", aliases, why), say)
