"""Names, lists and deletes previews: private Spaces NAME-pr-N, one per pull request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backends.hub.client import Hub, translate_errors


def preview_name(repo: str, number: int) -> str:
    """Return the name of a pull request's preview."""
    return f"{repo}-pr-{number}"


def delete_preview(hub: Hub, repo: str) -> None:
    """Delete a preview; it's no error if it doesn't exist."""
    with translate_errors(f"the deletion of {repo}"):
        hub.api.delete_repo(repo, repo_type="space", missing_ok=True)


def stale_previews(hub: Hub, repo: str, days: float, now: datetime | None = None) -> list[str]:
    """Return the previews of `repo` without a commit in the last `days`."""
    limit = (now or datetime.now(UTC)) - timedelta(days=days)
    owner, _, name = repo.partition("/")
    prefix = preview_name(repo, 0)[:-1]
    with translate_errors(f"the previews of {repo}"):
        spaces = hub.api.list_spaces(author=owner, search=f"{name}-pr-", full=True)
        modified = {space.id: space.last_modified for space in spaces if _is_preview(space.id, prefix)}
    return sorted(name for name, pushed in modified.items() if pushed and pushed < limit)


def _is_preview(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name.removeprefix(prefix).isdecimal()
