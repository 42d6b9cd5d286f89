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
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).parent))

from publishing import previews
from publishing.errors import PublishError
from publishing.hub import Hub
from publishing.publish import Outcome, Way, delete, go_back, publish
from publishing.settings import Settings, named
from publishing.stage import changed, names
from publishing.watch import Patience

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None, hub: Hub | None = None) -> int:
    """Publish, plan or go back, and give the exit status."""
    options = _parser().parse_args(arguments)
    hub = hub or Hub()
    try:
        spaces = _chosen(options)
        named_here = named(options.variable, options.secret, os.environ)
        settings = Settings(options.hardware, options.sleep, **named_here, replace=options.replace_secrets)
        if not spaces:
            print("No Space changed.")
            return 0
        owner = options.repo.partition("/")[0] if options.repo else options.owner or hub.owner()
    except PublishError as error:
        return _fail(error)
    try:
        outcomes = [_one(options, hub, name, options.repo or f"{owner}/{name}", settings) for name in spaces]
    except KeyboardInterrupt:
        print(
            "\nStopped. A commit that was pushed stays: the page of the Space shows whether it runs.", file=sys.stderr
        )
        return 130
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
    parser.add_argument(
        "--prune-previews", type=float, metavar="DAYS", help="delete previews that got no commit for so many days"
    )
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
    parser.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE", help="a variable of the Space")
    parser.add_argument(
        "--secret", action="append", default=[], metavar="NAME", help="a secret; its value is that of $NAME here"
    )
    parser.add_argument("--replace-secrets", action="store_true", help="set secrets that are there already, too")
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
    if options.delete_preview and not options.preview:
        raise PublishError("--delete-preview needs the number of the pull request.", "Add --preview N.")
    if options.repo and options.repo.count("/") != 1:
        raise PublishError(f"{options.repo!r} is no Space.", "Write OWNER/NAME.")
    return chosen


def _one(options: argparse.Namespace, hub: Hub, name: str, repo: str, settings: Settings) -> Outcome:
    """Publish one Space; whatever happens, the others go on."""
    say = partial(_say, sys.stderr if options.json else sys.stdout)
    way = Way(
        ROOT,
        settings,
        Patience(options.timeout, options.poll),
        apply=options.apply,
        private=options.private or bool(options.preview),
        tries=not options.no_try,
        waits=not options.no_wait,
        asks=not options.no_smoke,
        deletes=options.yes,
        returns=options.on_failure == "rollback",
    )
    try:
        if options.prune_previews is not None:
            return delete(hub, name, previews.old(hub, repo, options.prune_previews), way, say)
        if options.preview:
            repo = previews.preview(repo, options.preview)
        if options.delete_preview:
            return delete(hub, name, [repo], way, say)
        return (go_back if options.rollback else publish)(hub, name, repo, way, say)
    except PublishError as error:
        _fail(error)
        return Outcome(name, repo, "failed", None, error.message, error.remedy)


def _say(stream: TextIO, text: str) -> None:
    """One write for a line and its end: the build log is told by a thread of its own, which would come in between."""
    stream.write(f"{text}\n")
    stream.flush()


def _tell(options: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    if options.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=2, ensure_ascii=False))
    elif len(outcomes) > 1:
        width = max(len(outcome.repo) for outcome in outcomes)
        for outcome in outcomes:
            commit = (outcome.commit or "")[:8]
            print(f"{outcome.repo:<{width}}  {outcome.state:<11}  {commit:<8}  {outcome.error or ''}".rstrip())


def _fail(error: PublishError) -> int:
    print(error.for_terminal, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
