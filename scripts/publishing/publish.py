"""Publishes one Space: stage, plan, try, push, wait, test, and roll back if it fails."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from backends.hub.client import Hub
from backends.hub.errors import HubError
from publishing.documents import push_library, with_documents
from publishing.errors import PublishError, SpaceFailed, SpaceNotReady
from publishing.hub.account import CPU_BASIC, describe_hardware, propose_hardware, subscription
from publishing.hub.library import set_volumes, unmount_library
from publishing.hub.plan import PublishPlan, fetch_live, make_plan
from publishing.hub.previews import delete_preview
from publishing.hub.push import push, restore
from publishing.hub.settings import changed_settings
from publishing.hub.watch import fetch_state, restart, wait_until_running
from publishing.publisher_run import Outcome, PublishOptions, ReportLine
from publishing.smoke_request import smoke_test
from publishing.staged_run import create_environment, try_app
from publishing.staging.content_check import check_content
from publishing.staging.page import add_thumbnail
from publishing.staging.stage import StagedSpace, space_sdk, stage

PUBLIC_HUB = "https://huggingface.co"  # where others read the picture, whatever mirror this machine uses


def publish(hub: Hub, name: str, repo: str, options: PublishOptions, report: ReportLine) -> Outcome:
    """Make the Space `repo` equal to `spaces/name`, or print what would change."""
    with tempfile.TemporaryDirectory(prefix="spaceport-stage-") as folder:
        plan = _plan(hub, name, repo, Path(folder), options, report)
        report(plan.text())
        if plan.empty:
            return Outcome(name, repo, "unchanged", plan.live.sha)
        if not options.apply:
            return Outcome(name, repo, "planned", plan.live.sha)
        for each in filter(None, (plan, plan.library)):
            if each.deletes_a_third and not options.allow_deletes:
                _confirm_deletes(each)
        if options.trial:
            _try(plan.space, report)
        return _push_and_watch(hub, plan, options, report)


def _plan(hub: Hub, name: str, repo: str, folder: Path, options: PublishOptions, report: ReportLine) -> PublishPlan:
    """Stage the Space in `folder` and compare it with the live one."""
    live, settings, library = fetch_live(hub, repo), options.settings, None
    if not live.sha:
        settings = replace(settings, hardware=_hardware_for_new_space(hub, name, repo, options, report))
    # A Space on ZeroGPU needs another Python version, even if the command doesn't name the hardware.
    hardware = settings.hardware or live.hardware or CPU_BASIC
    space = stage(options.root, name, folder / name, hardware=hardware, include=options.include)
    if options.documents:
        space, library = with_documents(hub, space, repo, options, report)
    space = add_thumbnail(space, f"{PUBLIC_HUB}/spaces/{repo}")
    check_content(space.files)
    if space.left_out:
        report(f"{repo}: left out, because git doesn't track it: {', '.join(space.left_out)}")
    if live.sha:
        settings = changed_settings(hub, repo, settings, hardware=live.hardware, sleep_seconds=live.sleep_seconds)
    if settings.hardware and (offer := describe_hardware(hub, settings.hardware)):
        report(f"{repo}: {offer}")
    return make_plan(repo, space, live, settings, library=library)


def _hardware_for_new_space(hub: Hub, name: str, repo: str, options: PublishOptions, report: ReportLine) -> str | None:
    """Return the hardware that this account may create, and report why."""
    owner = repo.partition("/")[0]
    plan, sdk = subscription(hub, owner), space_sdk(options.root, name)
    hardware, reason = propose_hardware(plan, owner, sdk, options.settings.hardware)
    report(f"{repo}: {reason}")
    return hardware


def delete_previews(hub: Hub, name: str, repos: list[str], options: PublishOptions, report: ReportLine) -> Outcome:
    """Delete previews; this is the only deletion of Spaces here."""
    for repo in repos:
        if options.apply:
            delete_preview(hub, repo)
        report(f"{repo}: {'deleted' if options.apply else 'would be deleted'}")
    return Outcome(name, ", ".join(repos) or "no preview", "deleted" if options.apply else "planned")


def _push_and_watch(hub: Hub, plan: PublishPlan, options: PublishOptions, report: ReportLine) -> Outcome:
    name, repo, before = plan.space.name, plan.repo, plan.live
    message = _commit_message(options.root)
    changes_library = plan.changes_library
    if changes_library and plan.library:
        plan = push_library(hub, plan, message, options, report)
    commit = push(hub, plan, message, private=options.private, report=report)
    report(f"{repo}: pushed {commit[:8]}")
    if changes_library and not plan.library:
        unmount_library(hub, plan)
    if not options.wait:
        return Outcome(name, repo, "pushed", commit)
    try:
        wait_until_running(hub, repo, commit, options.wait_options, report, is_new=commit != before.sha)
        if options.smoke_test:
            report(f"{repo}: answers {_smoke_test(hub, plan, commit)[:80]!r}")
    except SpaceFailed:
        if options.rollback and (previous := before.sha):
            if changes_library:
                set_volumes(hub, repo, before.volumes)  # first: the commit starts the Space
            restored = restore(hub, repo, previous, f"Back to {previous[:8]}: {commit[:8]} did not run")
            if changes_library and restored == commit:  # no file had changed
                restart(hub, repo)
            report(f"{repo}: rolled back to the files of {previous[:8]} ({restored[:8]})")
        raise
    report(f"{repo}: runs {commit[:8]}")
    return Outcome(name, repo, "published", commit)


def _smoke_test(hub: Hub, plan: PublishPlan, commit: str) -> str:
    """Return the Space's answer; a Space that was paused or fell asleep since it ran isn't one that failed."""
    try:
        return smoke_test(hub, plan.repo, plan.space.name, plan.space.question)
    except SpaceNotReady as error:
        raise SpaceNotReady(error.message, error.remedy, commit=commit) from None
    except SpaceFailed as error:
        try:
            state = fetch_state(hub, plan.repo)
        except HubError:
            raise error from None
        raise state.error(plan.repo, commit) or error from None


def _try(space: StagedSpace, report: ReportLine) -> None:
    python = create_environment(space, space.folder.parent / f"{space.name}-environment", report)
    report(f"{space.name}: starting it outside the repository")
    report(f"{space.name}: answers {try_app(space, python)[:80]!r}")


def _confirm_deletes(plan: PublishPlan) -> None:
    question = f"{len(plan.deleted)} of {len(plan.live.files)} files would be deleted."
    if not sys.stdin.isatty():
        raise PublishError(question, "To delete them, pass --yes.")
    if input(f"{question} Continue? [y/N] ").strip().lower() != "y":
        raise PublishError("Nothing was changed.", "")


def _commit_message(root: Path) -> str:
    """Name the repository's commit, with a + if it has uncommitted changes."""
    commit = _git(root, "rev-parse", "HEAD")
    return f"Publish {commit[:12]}{'+' if _git(root, 'status', '--porcelain', '--untracked-files=no') else ''}".rstrip()


def _git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
