"""One atomic commit, on the parent that it was planned on; the Space is made first if there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import RepositoryNotFoundError

from publishing.errors import HubError
from publishing.hub import REMEDIES, Hub, translated, unclear
from publishing.plan import Live, Plan, look, plan, tree
from publishing.settings import apply

ATTEMPTS = 3


def push(hub: Hub, planned: Plan, message: str, *, private: bool = False, say: Callable[[str], None] = print) -> str:
    """Make the live tree like the staged one and give the commit's id.

    A Space that somebody else changed meanwhile is planned again; a failure that may have gone through is read
    back first. It is never written over.
    """
    current = planned
    if current.live.sha is None:
        create(hub, current, private=private)
        current = _again(hub, current)
    apply(hub, current.repo, current.settings)
    for attempt in range(1, ATTEMPTS + 1):
        if not current.files:
            return str(current.live.sha)
        try:
            return _commit(hub, current, message)
        except HubError as error:
            if attempt == ATTEMPTS or not (error.status == 412 or unclear(error)):
                raise
            say(f"{error.message} Looking at the Space again.")
            current = _again(hub, current)
    raise AssertionError  # the loop returns or raises


def create(hub: Hub, planned: Plan, *, private: bool) -> None:
    """Make the Space; one that came into being meanwhile is the same to us."""
    with translated(f"to create the Space {planned.repo}"), _conflict(planned.repo):
        hub.api.create_repo(
            planned.repo,
            repo_type="space",
            space_sdk=str(planned.staged.front_matter["sdk"]),
            private=private,
            space_hardware=planned.settings.hardware,  # type: ignore[arg-type]
            space_sleep_time=planned.settings.sleep_seconds,
            exist_ok=True,
        )


@contextmanager
def _conflict(repo: str) -> Iterator[None]:
    """A refusal with 409 that names no Space: huggingface_hub expects the name and stumbles."""
    try:
        yield
    except KeyError:
        raise HubError(f"The Hub is busy with {repo} (409).", REMEDIES[409], status=409) from None


def rollback(hub: Hub, repo: str, message: str) -> str:
    """Bring back the tree before the last commit, as a new commit; gives its id."""
    with translated(f"the history of {repo}"):
        try:
            history = hub.api.list_repo_commits(repo, repo_type="space")
        except RepositoryNotFoundError:
            raise HubError(f"There is no Space {repo}.", "Check the name.", status=404) from None
    if len(history) < 2:
        raise HubError(f"{repo} has no earlier commit.", "There is nothing to go back to.")
    return restore(hub, repo, history[1].commit_id, f"{message} to {history[1].commit_id[:8]}")


def restore(hub: Hub, repo: str, sha: str, message: str) -> str:
    """Bring back the tree of an earlier commit."""
    live = look(hub, repo)
    with translated(f"the tree of {sha[:8]}"):
        wanted = tree(hub, repo, sha)
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationDelete(place) for place in live.files if place not in wanted
    ]
    for place, known in wanted.items():
        if live.files.get(place) != known:
            with translated(f"{place} of {sha[:8]}"):
                path = hub.api.hf_hub_download(repo, place, repo_type="space", revision=sha)
            operations.append(CommitOperationAdd(place, path))
    if not operations:
        return str(live.sha)
    return _send(hub, repo, operations, message, live)


def _again(hub: Hub, planned: Plan) -> Plan:
    """The same for the Space as it is now; one that was just made has its hardware and sleep time."""
    settings = planned.settings
    if planned.live.sha is None:
        settings = replace(settings, hardware=None, sleep_seconds=None)
    return plan(planned.repo, planned.staged, look(hub, planned.repo), settings)


def _commit(hub: Hub, planned: Plan, message: str) -> str:
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(place, str(planned.staged.files[place])) for place in (*planned.added, *planned.changed)
    ]
    operations += [CommitOperationDelete(place) for place in planned.deleted]
    return _send(hub, planned.repo, operations, message, planned.live)


def _send(
    hub: Hub, repo: str, operations: Sequence[CommitOperationAdd | CommitOperationDelete], message: str, live: Live
) -> str:
    with translated(f"the commit to {repo}"):
        made = hub.api.create_commit(
            repo, list(operations), commit_message=message, repo_type="space", parent_commit=live.sha
        )
        return str(made.oid)
