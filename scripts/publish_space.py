"""Publish the apps of this repository to Hugging Face Spaces: plan by default, --apply to act.

    python scripts/publish_space.py chat_rag                  # what would change
    python scripts/publish_space.py chat_rag --apply          # try, push, wait, smoke test
    python scripts/publish_space.py --changed origin/main --apply
    python scripts/publish_space.py chat_rag --rollback --apply

The token comes from HF_TOKEN, a trusted publisher (HF_OIDC_RESOURCE) or `hf auth login`, never from an argument.
Exit status: 0 good or nothing to do, 1 failed (message and remedy on stderr), 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

from publishing.errors import PublishError
from publishing.guard import guard
from publishing.hub import Hub, translated
from publishing.plan import Plan, look, plan
from publishing.push import Choices, push, restore, rollback
from publishing.stage import Staged, changed, names, stage
from publishing.watch import Patience, wait

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Outcome:
    """What became of one Space; `commit` is the one that it runs, `error` why it failed."""

    space: str
    repo: str
    state: str
    commit: str | None = None
    error: str | None = None
    remedy: str | None = None


def main(arguments: Sequence[str] | None = None, hub: Hub | None = None) -> int:
    """Publish, plan or go back, and give the exit status."""
    options = _parser().parse_args(arguments)
    hub = hub or Hub()
    try:
        spaces = _chosen(options)
        if not spaces:
            print("No Space changed.")
            return 0
        owner = options.repo.partition("/")[0] if options.repo else options.owner or hub.owner()
    except PublishError as error:
        return _fail(error)
    suffix = f"-pr-{options.preview}" if options.preview else ""
    outcomes = [_one(options, hub, name, (options.repo or f"{owner}/{name}") + suffix) for name in spaces]
    _tell(options, outcomes)
    return 1 if any(outcome.error for outcome in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="publish_space.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("spaces", nargs="*", default=[], metavar="SPACE", help=f"{', '.join(names(ROOT))}")
    which.add_argument("--all", action="store_true", help="every Space")
    which.add_argument(
        "--changed", nargs="?", const="HEAD~1", metavar="SINCE", help="those whose files changed (HEAD~1)"
    )
    parser.add_argument("--repo", metavar="OWNER/NAME", help="another name than your own account's; one Space only")
    parser.add_argument("--owner", metavar="NAME", help="an organisation, instead of your own account")
    parser.add_argument("--preview", type=int, metavar="N", help="a private Space NAME-pr-N for a pull request")
    parser.add_argument("--delete-preview", action="store_true", help="delete that of --preview")
    parser.add_argument("--apply", action="store_true", help="act; without it the plan is printed")
    parser.add_argument("--yes", action="store_true", help="do not ask before more than a third is deleted")
    parser.add_argument("--rollback", action="store_true", help="bring back the tree before the last commit")
    parser.add_argument("--on-failure", choices=("keep", "rollback"), default="keep", help="if it does not run (keep)")
    parser.add_argument("--no-try", action="store_true", help="do not start the staged app before it is sent")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the Space runs the new commit")
    parser.add_argument("--no-smoke", action="store_true", help="do not call the Space's API afterwards")
    parser.add_argument("--private", action="store_true", help="a new Space that only you can see")
    parser.add_argument("--hardware", metavar="NAME", help="cpu-basic, zero-a10g, t4-small …")
    parser.add_argument("--sleep", type=int, metavar="SECONDS", help="without visitors, the Space sleeps after so long")
    parser.add_argument("--timeout", type=float, default=1800.0, help="seconds to wait for the Space (1800)")
    parser.add_argument("--poll", type=float, default=3.0, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print what became of each Space as JSON")
    return parser


def _chosen(options: argparse.Namespace) -> list[str]:
    if options.all:
        chosen = names(ROOT)
    elif options.changed:
        chosen = changed(ROOT, options.changed)
    else:
        chosen = list(dict.fromkeys(options.spaces))
    if options.repo and len(chosen) != 1:
        raise PublishError(f"--repo names one place for {len(chosen)} Spaces.", "Publish them one by one.")
    if options.preview is not None and options.preview < 1:
        raise PublishError(f"There is no pull request {options.preview}.", "Give its number.")
    if options.repo and options.repo.count("/") != 1:
        raise PublishError(f"{options.repo!r} is no Space.", "Write OWNER/NAME.")
    return chosen


def _one(options: argparse.Namespace, hub: Hub, name: str, repo: str) -> Outcome:
    """Publish one Space; whatever happens, the others go on."""
    say: Callable[[str], None] = (lambda text: print(text, file=sys.stderr)) if options.json else print
    try:
        if options.delete_preview:
            return _delete(options, hub, name, repo, say)
        if options.rollback:
            return _back(options, hub, name, repo, say)
        with tempfile.TemporaryDirectory(prefix="spaceport-stage-") as folder:
            staged = stage(ROOT, name, Path(folder) / name, hardware=options.hardware or "cpu-basic")
            guard(staged.files)
            planned = plan(repo, staged, look(hub, repo), hardware=options.hardware)
            say(planned.text())
            if planned.empty:
                return Outcome(name, repo, "unchanged", planned.live.sha)
            if not options.apply:
                return Outcome(name, repo, "planned", planned.live.sha)
            return _apply(options, hub, planned, say)
    except PublishError as error:
        _fail(error)
        return Outcome(name, repo, "failed", None, error.message, error.remedy)


def _apply(options: argparse.Namespace, hub: Hub, planned: Plan, say: Callable[[str], None]) -> Outcome:
    staged, repo = planned.staged, planned.repo
    if planned.drastic and not options.yes:
        _ask(planned)
    if not options.no_try:
        _try(staged, say)
    choices = Choices(options.private or bool(options.preview), options.hardware, options.sleep)
    commit = push(hub, planned, _message(), choices, say)
    say(f"{repo}: pushed {commit[:8]}")
    if options.no_wait:
        return Outcome(staged.name, repo, "pushed", commit)
    try:
        wait(hub, repo, commit, Patience(options.timeout, options.poll), say)
        if not options.no_smoke:
            from publishing.smoke import smoke

            say(f"{repo}: answers {smoke(hub, repo, staged.name)[:80]!r}")
    except PublishError as error:
        if options.on_failure == "rollback" and planned.live.sha:
            back = restore(hub, repo, planned.live.sha, f"Back to {planned.live.sha[:8]}: {commit[:8]} did not run")
            say(f"{repo}: went back to the tree of {planned.live.sha[:8]} ({back[:8]})")
        raise error
    say(f"{repo}: runs {commit[:8]}")
    return Outcome(staged.name, repo, "published", commit)


def _delete(options: argparse.Namespace, hub: Hub, name: str, repo: str, say: Callable[[str], None]) -> Outcome:
    """Delete a preview; nothing else can be deleted from here."""
    if not options.preview:
        raise PublishError("--delete-preview needs the number of the pull request.", "Add --preview N.")
    if not options.apply:
        say(f"{repo}: would be deleted")
        return Outcome(name, repo, "planned")
    with translated(f"to delete {repo}"):
        hub.api.delete_repo(repo, repo_type="space", missing_ok=True)
    say(f"{repo}: deleted")
    return Outcome(name, repo, "deleted")


def _back(options: argparse.Namespace, hub: Hub, name: str, repo: str, say: Callable[[str], None]) -> Outcome:
    if not options.apply:
        say(f"{repo}: would go back to the tree before its last commit")
        return Outcome(name, repo, "planned")
    commit = rollback(hub, repo, "Back")
    say(f"{repo}: went back ({commit[:8]})")
    if not options.no_wait:
        wait(hub, repo, commit, Patience(options.timeout, options.poll), say)
    return Outcome(name, repo, "rolled back", commit)


def _try(staged: Staged, say: Callable[[str], None]) -> None:
    from publishing.trial import attempt, environment

    python = environment(staged, staged.folder.parent / f"{staged.name}-environment", say)
    say(f"{staged.name}: starting it by itself")
    say(f"{staged.name}: answers {attempt(staged, python)[:80]!r}")


def _ask(planned: Plan) -> None:
    count = len(planned.deleted)
    if not sys.stdin.isatty():
        raise PublishError(f"{count} of {len(planned.live.files)} files would be deleted.", "If that is meant: --yes.")
    if input(f"{count} of {len(planned.live.files)} files would be deleted. Go on? [y/N] ").strip().lower() != "y":
        raise PublishError("Nothing was changed.", "")


def _message() -> str:
    """The commit of the repository that is published; `+` if something was not committed."""
    commit = _git("rev-parse", "HEAD")
    return f"Publish {commit[:12]}{'+' if _git('status', '--porcelain', '--untracked-files=no') else ''}".rstrip()


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _tell(options: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    if options.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=2, ensure_ascii=False))
    elif len(outcomes) > 1:
        width = max(len(outcome.repo) for outcome in outcomes)
        for outcome in outcomes:
            commit = (outcome.commit or "")[:8]
            print(f"{outcome.repo:<{width}}  {outcome.state:<11}  {commit:<8}  {outcome.error or ''}".rstrip())


def _fail(error: PublishError) -> int:
    print(f"error: {error.message}\n  {error.remedy}".rstrip(), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
