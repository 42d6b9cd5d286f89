"""The command `python -m compare publish`, which publishes the results of a run on the Hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from compare.commands.options.report import add_report_options, build_from_options
from compare.foreign.read import read_run


def add_publish_command(commands: Any) -> None:
    """Add `publish` to the commands of `python -m compare`."""
    text = "publish the results of a run on the Hugging Face Hub: plan by default, --apply to act"
    publish = commands.add_parser("publish", help=text, description=text)
    publish.add_argument("run", type=Path, help="a file that `run --out` wrote, or an output of another load tool")
    publish.add_argument("--repo", required=True, metavar="OWNER/NAME", help="the public dataset for the rows")
    publish.add_argument("--static-space", metavar="OWNER/NAME", help="a static Space for the report, too")
    publish.add_argument("--prompts", action="store_true", help="publish the questions and answers too")
    publish.add_argument("--apply", action="store_true", help="make the changes; without it, only print the plan")
    add_report_options(publish)
    publish.set_defaults(command=_publish)


def _publish(options: argparse.Namespace) -> int:
    # The Hub's client takes half a second: a command's --help must not wait for it.
    from backends.hub.client import Hub
    from compare.publish.public_run import public_run
    from compare.publish.publication import plan_publication

    run = public_run(read_run(options.run), with_texts=options.prompts)
    report = build_from_options(options, run)
    hub = Hub()
    publication = plan_publication(hub, report, options.repo, options.static_space, with_texts=options.prompts)
    print(publication.text())
    if publication.is_empty:
        return 0
    if not options.apply:
        print("This is the plan. To publish it, add --apply.")
        return 0
    for change, commit in zip(publication.changes, publication.apply(hub), strict=True):
        print(f"{change.repo}: {commit[:8]}")
    print(f"A badge for a README: {publication.badge}")
    return 0
