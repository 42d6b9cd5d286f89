"""Publish the apps of this repository to Hugging Face Spaces: plan by default, --apply to act.

    python scripts/publish_space.py chat_rag                  # what would change
    python scripts/publish_space.py chat_rag --apply          # try, push, wait, smoke test
    python scripts/publish_space.py --changed origin/main --apply
    python scripts/publish_space.py chat_rag --documents handbook/ --repo me/handbook --apply --public-documents
    python scripts/publish_space.py chat_rag --rollback --apply

The token comes from HF_TOKEN, a trusted publisher (HF_OIDC_RESOURCE) or `hf auth login`, never from an argument.
Exit status: 0 success or nothing to do, 1 failure (message and remedy on stderr), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).parent))

from publishing.errors import PublishError, SpaceNotReady
from publishing.hub.client import Hub, check_name
from publishing.hub.previews import preview_name, stale_previews
from publishing.hub.settings import SpaceSettings, parse_variables, read_secrets
from publishing.hub.watch import WaitOptions
from publishing.options import Outcome, PublishOptions
from publishing.publish import delete_previews, publish
from publishing.rollback import roll_back
from publishing.staging.stage import changed_spaces, space_names

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None, hub: Hub | None = None) -> int:
    """Plan, publish or roll back, and return the exit status."""
    options = _parser().parse_args(arguments)
    hub = hub or Hub()
    try:
        spaces = _selected_spaces(options)
        settings = SpaceSettings(
            options.hardware,
            options.sleep,
            parse_variables(options.variable),
            read_secrets(options.secret, os.environ),
            replace=options.replace_secrets,
        )
        if not spaces:
            print("No Space changed.")
            return 0
        owner = options.repo.partition("/")[0] if options.repo else options.owner or hub.owner()
    except PublishError as error:
        return _print_error(error)
    try:
        outcomes = [_publish_one(options, hub, name, options.repo or f"{owner}/{name}", settings) for name in spaces]
    except KeyboardInterrupt:
        print("\nStopped. A pushed commit stays: see the Space's page for its state.", file=sys.stderr)
        return 130
    _print_outcomes(options, outcomes)
    return 1 if any(outcome.error for outcome in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="publish_space.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    _add_selection(parser)
    _add_steps(parser)
    _add_settings(parser)
    parser.add_argument("--timeout", type=float, default=2400.0, help="seconds to wait for the Space (2400)")
    parser.add_argument("--poll", type=float, default=3.0, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the outcome of each Space as JSON")
    return parser


def _add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that select Spaces, previews and files."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("spaces", nargs="*", default=[], metavar="SPACE", help=f"{', '.join(space_names(ROOT))}")
    which.add_argument("--all", action="store_true", help="every Space")
    which.add_argument(
        "--changed", nargs="?", const="HEAD~1", metavar="SINCE", help="the Spaces whose files changed since (HEAD~1)"
    )
    parser.add_argument(
        "--root", type=_path, default=ROOT, metavar="FOLDER", help="the checkout with the Spaces (this one)"
    )
    parser.add_argument("--repo", metavar="OWNER/NAME", help="the Space to publish to; for one Space only")
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PATH",
        help="also a file that git doesn't track; one Space only",
    )
    parser.add_argument(
        "--documents",
        type=_path,
        metavar="FOLDER",
        help="documents, or a library of them, that the Space answers from; one Space only",
    )
    parser.add_argument(
        "--page",
        type=_path,
        metavar="FILE",
        help="the title, description and questions of their page; a plan shows the ones made from the documents",
    )
    parser.add_argument("--owner", metavar="NAME", help="an organisation, instead of your own account")
    parser.add_argument("--preview", type=int, metavar="N", help="a private Space NAME-pr-N for a pull request")
    parser.add_argument("--delete-preview", action="store_true", help="delete the Space of --preview")
    parser.add_argument(
        "--prune-previews", type=float, metavar="DAYS", help="delete previews without a commit in the last DAYS"
    )


def _add_steps(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which steps to take."""
    parser.add_argument("--apply", action="store_true", help="make the changes; without it, only print the plan")
    parser.add_argument(
        "--public-documents", action="store_true", help="send the documents, although others can then read them"
    )
    parser.add_argument("--yes", action="store_true", help="don't ask before deleting more than a third of the files")
    parser.add_argument(
        "--rollback", action="store_true", help="restore the files and documents from before the last commit"
    )
    parser.add_argument(
        "--on-failure", choices=("keep", "rollback"), default="keep", help="if the new commit fails (keep)"
    )
    parser.add_argument("--no-try", action="store_true", help="don't start the staged app before sending it")
    parser.add_argument("--no-wait", action="store_true", help="don't wait until the Space runs the new commit")
    parser.add_argument("--no-smoke", action="store_true", help="don't call the Space's API at the end")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that change a Space's settings."""
    parser.add_argument("--private", action="store_true", help="create the Space as private")
    parser.add_argument("--hardware", metavar="NAME", help="cpu-basic, zero-a10g, t4-small …")
    parser.add_argument("--sleep", type=int, metavar="SECONDS", help="sleep after so many seconds without visitors")
    parser.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE", help="a variable of the Space")
    parser.add_argument(
        "--secret", action="append", default=[], metavar="NAME", help="a secret, with the value of $NAME here"
    )
    parser.add_argument("--replace-secrets", action="store_true", help="overwrite secrets that exist")


def _path(text: str) -> Path:
    return Path(text).resolve()


def _selected_spaces(options: argparse.Namespace) -> list[str]:
    if options.all:
        spaces = space_names(options.root)
    elif options.changed:
        spaces = changed_spaces(options.root, options.changed)
    else:
        spaces = list(dict.fromkeys(options.spaces))
    if options.repo and len(spaces) != 1:
        raise PublishError(f"--repo names one Space, but {len(spaces)} are selected.", "Publish them one by one.")
    if options.include and len(spaces) != 1:
        raise PublishError(f"--include is for one Space, but {len(spaces)} are selected.", "Publish them one by one.")
    if options.documents and len(spaces) != 1:
        raise PublishError(f"--documents is for one Space, but {len(spaces)} are selected.", "Publish them one by one.")
    if options.documents and not options.documents.is_dir():
        raise PublishError(f"There is no folder {options.documents}.", "Pass the folder with the documents.")
    if options.page and not options.documents:
        raise PublishError("--page is for a Space with documents.", "Add --documents FOLDER.")
    if options.preview is not None and options.preview < 1:
        raise PublishError(f"There is no pull request {options.preview}.", "Give its number.")
    if options.delete_preview and not options.preview:
        raise PublishError("--delete-preview needs the number of the pull request.", "Add --preview N.")
    if options.repo and options.repo.count("/") != 1:
        raise PublishError(f"{options.repo!r} isn't the name of a Space.", "Write OWNER/NAME.")
    if options.repo or options.owner:
        check_name(options.repo or f"{options.owner}/name")
    return spaces


def _publish_one(options: argparse.Namespace, hub: Hub, name: str, repo: str, settings: SpaceSettings) -> Outcome:
    """Publish one Space; an error becomes its outcome, so that the other Spaces are still published."""
    report = partial(_report, sys.stderr if options.json else sys.stdout)
    steps = PublishOptions(
        options.root,
        settings,
        WaitOptions(options.timeout, options.poll),
        apply=options.apply,
        private=options.private or bool(options.preview),
        trial=not options.no_try,
        wait=not options.no_wait,
        smoke_test=not options.no_smoke,
        allow_deletes=options.yes,
        rollback=options.on_failure == "rollback",
        include=tuple(options.include),
        documents=options.documents,
        page=options.page,
        preview=bool(options.preview),
        public_documents=options.public_documents,
    )
    try:
        if options.prune_previews is not None:
            return delete_previews(hub, name, stale_previews(hub, repo, options.prune_previews), steps, report)
        if options.preview:
            repo = preview_name(repo, options.preview)
        if options.delete_preview:
            return delete_previews(hub, name, [repo], steps, report)
        return (roll_back if options.rollback else publish)(hub, name, repo, steps, report)
    except SpaceNotReady as error:
        _print_error(error)
        return Outcome(name, repo, "not ready", error.commit, error.message, error.remedy)
    except PublishError as error:
        _print_error(error)
        return Outcome(name, repo, "failed", None, error.message, error.remedy)


def _report(stream: TextIO, text: str) -> None:
    """Write a line and its end at once: the build log's thread prints between two writes."""
    stream.write(f"{text}\n")
    stream.flush()


def _print_outcomes(options: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    if options.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=2, ensure_ascii=False))
    elif len(outcomes) > 1:
        width = max(len(outcome.repo) for outcome in outcomes)
        for outcome in outcomes:
            commit = (outcome.commit or "")[:8]
            print(f"{outcome.repo:<{width}}  {outcome.state:<11}  {commit:<8}  {outcome.error or ''}".rstrip())


def _print_error(error: PublishError) -> int:
    print(error.for_terminal, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
