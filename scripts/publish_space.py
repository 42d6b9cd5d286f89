"""Publish the apps of this repository to Hugging Face Spaces: plan by default, --apply to act.

    python scripts/publish_space.py chat_rag                  # what would change
    python scripts/publish_space.py chat_rag --apply          # try, push, wait, smoke test
    python scripts/publish_space.py --changed origin/main --apply
    python scripts/publish_space.py chat_rag --documents handbook/ --repo me/handbook --apply --public-documents
    python scripts/publish_space.py chat_rag --rollback --apply
    python scripts/publish_space.py --static conversation.html --repo me/answers --apply --public-documents

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

from backends.errors import SpaceportError
from backends.hub.client import Hub, check_name
from backends.hub.errors import HubError
from publishing.arguments import build_parser
from publishing.errors import PublishError, SpaceNotReady
from publishing.hub.previews import preview_name, stale_previews
from publishing.hub.settings import SpaceSettings, parse_variables, read_secrets
from publishing.hub.watch import WaitOptions
from publishing.publish import delete_previews, publish
from publishing.publisher_run import Outcome, PublishOptions
from publishing.rollback import roll_back
from publishing.staging.stage import changed_spaces, space_names
from publishing.static_page import publish_page

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None, hub: Hub | None = None) -> int:
    """Plan, publish or roll back, and return the exit status."""
    options = build_parser(str(__doc__), ROOT).parse_args(arguments)
    hub = hub or Hub()
    if options.static:
        return _publish_static(options, hub)
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
    except (HubError, PublishError) as error:
        return _print_error(error)
    try:
        outcomes = [_publish_one(options, hub, name, options.repo or f"{owner}/{name}", settings) for name in spaces]
    except KeyboardInterrupt:
        print("\nStopped. A pushed commit stays: see the Space's page for its state.", file=sys.stderr)
        return 130
    _print_outcomes(options, outcomes)
    return 1 if any(outcome.error for outcome in outcomes) else 0


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


def _publish_static(options: argparse.Namespace, hub: Hub) -> int:
    """Publish an HTML page and return the exit status."""
    steps = PublishOptions(
        options.root, apply=options.apply, private=options.private, public_documents=options.public_documents
    )
    try:
        _check_static(options)
        report = partial(_report, sys.stderr if options.json else sys.stdout)
        outcome = publish_page(hub, options.static, options.repo, steps, report)
    except (HubError, PublishError) as error:
        return _print_error(error)
    _print_outcomes(options, [outcome])
    return 0


def _check_static(options: argparse.Namespace) -> None:
    """Raise `PublishError` for options that a page without a server can't have."""
    names = ("documents", "page", "preview", "rollback", "include", "hardware", "sleep", "variable", "secret")
    if given := [f"--{name}" for name in names if getattr(options, name)]:
        raise PublishError(f"A static Space has no {given[0]}.", "Leave it out.")
    if not options.repo or options.repo.count("/") != 1:
        raise PublishError("--static needs the name of a Space.", "Add --repo OWNER/NAME.")
    check_name(options.repo)


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
    except (HubError, PublishError) as error:
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


def _print_error(error: SpaceportError) -> int:
    print(error.for_terminal, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
