"""Pushes a plan as one atomic commit on the parent that it was planned on; creates the Space if it doesn't exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeAlias

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import RepositoryNotFoundError

from backends.hub.client import REMEDIES, Hub, may_have_succeeded, translate_errors
from backends.hub.errors import HubError
from publishing.hub.account import refused_creation
from publishing.hub.metadata import check_metadata
from publishing.hub.plan import LiveSpace, PublishPlan, fetch_live, fetch_tree, make_plan
from publishing.hub.settings import apply_settings

ATTEMPTS = 3
Operation: TypeAlias = CommitOperationAdd | CommitOperationDelete


def push(
    hub: Hub, plan: PublishPlan, message: str, *, private: bool = False, report: Callable[[str], None] = print
) -> str:
    """Make the live files equal to the staged ones and return the commit's id.

    If the Space changed in the meantime, it is planned again. If a failed commit may have taken effect, the Space is
    read first. A commit of another client is never overwritten.
    """
    current = create_if_missing(hub, plan, private=private)
    apply_settings(hub, current.repo, current.settings)
    for attempt in range(1, ATTEMPTS + 1):
        if not current.changes_files:
            return str(current.live.sha)
        try:
            return _commit_plan(hub, current, message)
        except HubError as error:
            if attempt == ATTEMPTS or not (error.status == 412 or may_have_succeeded(error)):
                raise
            report(f"{error.message} Reading the Space again.")
            current = _plan_again(hub, current)
    raise AssertionError  # the loop returns or raises


def create_if_missing(hub: Hub, plan: PublishPlan, *, private: bool = False) -> PublishPlan:
    """Create the Space or the dataset of a plan if it doesn't exist, and return the plan for it as it is then."""
    if plan.live.sha is not None:
        return plan
    if plan.repo_type == "space":
        create_space(hub, plan, private=private)
    else:
        create_dataset(hub, plan.repo)
    return _plan_again(hub, plan)


def create_dataset(hub: Hub, repo: str) -> None:
    """Create a private dataset; one that exists stays as public or private as it is."""
    with translate_errors(f"the creation of the dataset {repo}"), _name_conflicts(repo):
        hub.api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)


def create_space(hub: Hub, plan: PublishPlan, *, private: bool) -> None:
    """Create the Space; it's no error if another client created it in the meantime."""
    check_metadata(hub, plan.space.files["README.md"].read_text(encoding="utf-8"))
    sdk, hardware = str(plan.space.front_matter["sdk"]), plan.settings.hardware
    try:
        with translate_errors(f"the creation of {plan.repo}"), _name_conflicts(plan.repo):
            hub.api.create_repo(
                plan.repo,
                repo_type="space",
                space_sdk=sdk,
                private=private,
                space_hardware=hardware,
                space_sleep_time=plan.settings.sleep_seconds,
                exist_ok=True,
            )
    except HubError as error:
        raise refused_creation(error, sdk, hardware) from error


@contextmanager
def _name_conflicts(repo: str) -> Iterator[None]:
    """Translate a 409 that names no Space: huggingface_hub expects the name and raises a KeyError."""
    try:
        yield
    except KeyError:
        raise HubError(f"The Hub is busy with {repo} (409).", REMEDIES[409], status=409) from None


def commit_before(hub: Hub, repo: str) -> str:
    """Return the id of the commit before the last one."""
    with translate_errors(f"the history of {repo}"):
        try:
            history = hub.api.list_repo_commits(repo, repo_type="space")
        except RepositoryNotFoundError:
            raise HubError(f"There is no Space {repo}.", "Check the name.", status=404) from None
    if len(history) < 2:
        raise HubError(f"{repo} has no earlier commit.", "There is nothing to roll back to.")
    return str(history[1].commit_id)


def restore(hub: Hub, repo: str, sha: str, message: str) -> str:
    """Restore the files of an earlier commit and return the id of the new one."""
    live = fetch_live(hub, repo)
    with translate_errors(f"the files of {sha[:8]}"):
        files = fetch_tree(hub, repo, sha)
    operations: list[Operation] = [
        CommitOperationDelete(relative_path) for relative_path in live.files if relative_path not in files
    ]
    for relative_path, entry in files.items():
        if live.files.get(relative_path) != entry:
            with translate_errors(f"{relative_path} of {sha[:8]}"):
                path = hub.api.hf_hub_download(repo, relative_path, repo_type="space", revision=sha)
            operations.append(CommitOperationAdd(relative_path, path))
    if not operations:
        return str(live.sha)
    return _commit(hub, repo, operations, message, live)


def _plan_again(hub: Hub, plan: PublishPlan) -> PublishPlan:
    """Plan for the Space's current state; a Space created just now has its hardware and sleep time already."""
    settings = plan.settings
    if plan.live.sha is None:
        settings = replace(settings, hardware=None, sleep_seconds=None)
    live = fetch_live(hub, plan.repo, plan.repo_type)
    return make_plan(plan.repo, plan.space, live, settings, repo_type=plan.repo_type, library=plan.library)


def _commit_plan(hub: Hub, plan: PublishPlan, message: str) -> str:
    operations: list[Operation] = [
        CommitOperationAdd(relative_path, str(plan.space.files[relative_path]))
        for relative_path in (*plan.added, *plan.changed)
    ]
    operations += [CommitOperationDelete(relative_path) for relative_path in plan.deleted]
    return _commit(hub, plan.repo, operations, message, plan.live, plan.repo_type)


def _commit(
    hub: Hub, repo: str, operations: Sequence[Operation], message: str, live: LiveSpace, repo_type: str = "space"
) -> str:
    with translate_errors(f"the commit to {repo}"):
        commit = hub.api.create_commit(
            repo, list(operations), commit_message=message, repo_type=repo_type, parent_commit=live.sha
        )
        return str(commit.oid)
