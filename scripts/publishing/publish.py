"""One Space from the repository to running: staged, planned, tried, pushed, watched, asked, and back if it fails."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from publishing import previews
from publishing.errors import PublishError
from publishing.guard import guard
from publishing.hub import Hub
from publishing.plan import Plan, look, plan
from publishing.push import push, restore, rollback
from publishing.settings import Settings, difference
from publishing.stage import Staged, stage
from publishing.watch import Patience, wait

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What became of one Space; `commit` is the one that it runs, `error` why it failed."""

    space: str
    repo: str
    state: str
    commit: str | None = None
    error: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How far publishing goes, and what it asks for on the way; without `apply` it only plans."""

    root: Path
    settings: Settings
    patience: Patience
    apply: bool = False
    private: bool = False
    tries: bool = True
    waits: bool = True
    asks: bool = True
    deletes: bool = False
    returns: bool = False


def publish(hub: Hub, name: str, repo: str, way: Way, say: Say) -> Outcome:
    """Make the Space `repo` like `spaces/name`, or say what that would change."""
    live, settings = look(hub, repo), way.settings
    with tempfile.TemporaryDirectory(prefix="spaceport-stage-") as folder:
        # A Space on ZeroGPU stays one: it needs another Python than the others.
        hardware = settings.hardware or live.hardware or "cpu-basic"
        staged = stage(way.root, name, Path(folder) / name, hardware=hardware)
        guard(staged.files)
        if live.sha:
            settings = difference(hub, repo, settings, hardware=live.hardware, sleep_seconds=live.sleep_seconds)
        planned = plan(repo, staged, live, settings)
        say(planned.text())
        if planned.empty:
            return Outcome(name, repo, "unchanged", live.sha)
        if not way.apply:
            return Outcome(name, repo, "planned", live.sha)
        if planned.drastic and not way.deletes:
            _ask(planned)
        if way.tries:
            _try(staged, say)
        return _go(hub, planned, way, say)


def go_back(hub: Hub, name: str, repo: str, way: Way, say: Say) -> Outcome:
    """Bring back the tree before the last commit."""
    if not way.apply:
        say(f"{repo}: would go back to the tree before its last commit")
        return Outcome(name, repo, "planned")
    commit = rollback(hub, repo, "Back")
    say(f"{repo}: went back ({commit[:8]})")
    if way.waits:
        wait(hub, repo, commit, way.patience, say)
    return Outcome(name, repo, "rolled back", commit)


def delete(hub: Hub, name: str, found: list[str], way: Way, say: Say) -> Outcome:
    """Delete previews; nothing else can be deleted from here."""
    for repo in found:
        if way.apply:
            previews.delete(hub, repo)
        say(f"{repo}: {'deleted' if way.apply else 'would be deleted'}")
    return Outcome(name, ", ".join(found) or "no preview", "deleted" if way.apply else "planned")


def _go(hub: Hub, planned: Plan, way: Way, say: Say) -> Outcome:
    name, repo = planned.staged.name, planned.repo
    commit = push(hub, planned, _message(way.root), private=way.private, say=say)
    say(f"{repo}: pushed {commit[:8]}")
    if not way.waits:
        return Outcome(name, repo, "pushed", commit)
    try:
        wait(hub, repo, commit, way.patience, say)
        if way.asks:
            from publishing.smoke import smoke

            say(f"{repo}: answers {smoke(hub, repo, name)[:80]!r}")
    except PublishError:
        if way.returns and planned.live.sha:
            back = restore(hub, repo, planned.live.sha, f"Back to {planned.live.sha[:8]}: {commit[:8]} did not run")
            say(f"{repo}: went back to the tree of {planned.live.sha[:8]} ({back[:8]})")
        raise
    say(f"{repo}: runs {commit[:8]}")
    return Outcome(name, repo, "published", commit)


def _try(staged: Staged, say: Say) -> None:
    from publishing.trial import attempt, environment

    python = environment(staged, staged.folder.parent / f"{staged.name}-environment", say)
    say(f"{staged.name}: starting it by itself")
    say(f"{staged.name}: answers {attempt(staged, python)[:80]!r}")


def _ask(planned: Plan) -> None:
    question = f"{len(planned.deleted)} of {len(planned.live.files)} files would be deleted."
    if not sys.stdin.isatty():
        raise PublishError(question, "If that is meant: --yes.")
    if input(f"{question} Go on? [y/N] ").strip().lower() != "y":
        raise PublishError("Nothing was changed.", "")


def _message(root: Path) -> str:
    """The commit of the repository that is published; `+` if something was not committed."""
    commit = _git(root, "rev-parse", "HEAD")
    return f"Publish {commit[:12]}{'+' if _git(root, 'status', '--porcelain', '--untracked-files=no') else ''}".rstrip()


def _git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
