"""Aliases of a model's versions: live, previous, and the one that a command is moving traffic to.

After an interruption they tell which version the command was moving to; the traffic only tells how far it got.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloud.calls import ReportLine
from cloud.vertex.calls import LIVE, PREVIOUS, merge_aliases
from cloud.vertex.client import VertexClient

UPDATING, ROLLING_BACK = "updating", "rolling-back"
_ALIASES = {LIVE, PREVIOUS, UPDATING, ROLLING_BACK}


def with_alias(versions: Sequence[Any], alias: str) -> Any:
    """Return the version that has the alias, or None."""
    return next((version for version in versions if alias in version.version_aliases), None)


def mark_in_progress(client: VertexClient, version: Any, intent: str, report: ReportLine) -> None:
    """Give the version the alias `intent`, unless it is live; other versions lose theirs."""
    versions = client.versions()
    live = with_alias(versions, LIVE)
    if live is not None and live.version_id == version.version_id:
        return
    for each in versions:
        stale = {UPDATING, ROLLING_BACK} & set(each.version_aliases)
        target = {intent} if each.version_id == version.version_id else set()
        _change(client, each, stale - target, target, report)


def clear_in_progress(client: VertexClient, version: Any, intent: str, report: ReportLine) -> None:
    """Remove the alias `intent` from the version."""
    for each in client.versions():
        if each.version_id == version.version_id:
            _change(client, each, {intent} & set(each.version_aliases), set(), report)


def mark_live(client: VertexClient, version: Any, report: ReportLine) -> None:
    """Make the version live, and the version that was live the previous one."""
    versions = client.versions()
    live = with_alias(versions, LIVE)
    previous = live.version_id if live is not None and live.version_id != version.version_id else None

    # Remove an alias from one version before adding it to another: the API doesn't document that it can move at once.
    def order(each: Any) -> int:
        return 2 if each.version_id == version.version_id else int(each.version_id == previous)

    if previous is not None:
        for each in versions:
            _change(client, each, {PREVIOUS} & set(each.version_aliases), set(), report)
    for each in sorted(client.versions(), key=order):
        current = _ALIASES & set(each.version_aliases)
        target = {LIVE} if order(each) == 2 else {PREVIOUS} if order(each) == 1 else current & {PREVIOUS}
        _change(client, each, current - target, target - current, report)


def _change(client: VertexClient, version: Any, remove: set[str], add: set[str], report: ReportLine) -> None:
    add = add - set(version.version_aliases)
    if remove or add:
        aliases = [*sorted(add), *(f"-{alias}" for alias in sorted(remove))]
        purpose = f"Aliases of version {version.version_id}: {', '.join(aliases)}"
        client.run(merge_aliases(f"{client.settings.model}@{version.version_id}", aliases, purpose), report)
