"""Previews of pull requests: private Spaces NAME-pr-N, which go with their pull request or after a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from publishing.hub import Hub, translated


def preview(repo: str, number: int) -> str:
    """The name of a pull request's preview."""
    return f"{repo}-pr-{number}"


def delete(hub: Hub, repo: str) -> None:
    """Delete a preview; one that is gone already is as good."""
    with translated(f"to delete {repo}"):
        hub.api.delete_repo(repo, repo_type="space", missing_ok=True)


def old(hub: Hub, repo: str, days: float, now: datetime | None = None) -> list[str]:
    """The previews of `repo` that nothing was pushed to for so many days."""
    limit = (now or datetime.now(UTC)) - timedelta(days=days)
    owner, _, name = repo.partition("/")
    pattern = re.compile(re.escape(preview(repo, 0))[:-1] + r"\d+")
    with translated(f"the previews of {repo}"):
        found = hub.api.list_spaces(author=owner, search=f"{name}-pr-", full=True)
        dated = {space.id: space.last_modified for space in found if pattern.fullmatch(space.id)}
    return sorted(name for name, pushed in dated.items() if pushed and pushed < limit)
