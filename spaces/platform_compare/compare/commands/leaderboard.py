"""The command `python -m compare leaderboard`, which prints the results of a public dataset."""

from __future__ import annotations

import argparse
import json
from typing import Any

ORDERS = ("newest", "right", "first-token", "end-to-end", "cost")


def add_leaderboard_command(commands: Any) -> None:
    """Add `leaderboard` to the commands of `python -m compare`."""
    text = "results that `publish` put into a dataset on the Hub, with their verdicts"
    leaderboard = commands.add_parser("leaderboard", help=text, description=text)
    leaderboard.add_argument("--dataset", required=True, metavar="OWNER/NAME", help="the dataset of the results")
    leaderboard.add_argument("--order", choices=ORDERS, default="newest", help="what comes first (newest)")
    leaderboard.add_argument("--search", default="", metavar="TEXT", help="rows with this in a name")
    leaderboard.add_argument("--workload", default="", metavar="NAME", help="rows of this workload, by name or hash")
    leaderboard.add_argument("--judged", action="store_true", help="only rows with right answers")
    leaderboard.add_argument("--clean", action="store_true", help="only rows without caveats")
    leaderboard.add_argument("--json", action="store_true", help="print the rows as JSON")
    leaderboard.set_defaults(command=_leaderboard)


def _leaderboard(options: argparse.Namespace) -> int:
    # The Hub's client takes half a second: a command's --help must not wait for it.
    from backends.hub.client import Hub
    from compare.publish.leaderboard import Filters, Order, select
    from compare.publish.leaderboard_view import leaderboard_json, leaderboard_markdown
    from compare.publish.results import read_results

    results = read_results(Hub(), options.dataset)
    filters = Filters(options.search, options.workload, options.judged, options.clean)
    rows = select(results.rows, filters, Order(options.order))
    if options.json:
        print(json.dumps(leaderboard_json(results, rows), indent=2, ensure_ascii=False))
    else:
        print(leaderboard_markdown(results, rows), end="")
    return 0
