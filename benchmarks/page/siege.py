"""The chat page under siege: 64 hostile guests of all kinds, beside one honest visitor.

    python benchmarks/page/siege.py [--seconds 60] [--guests 64] [--rate 2] [--only NAME]

Three sieges, each of a new page with its usual limits: 1,300 connections that are idle or send a head slowly; guests
from 8 addresses; guests with an address each. The honest visitor has an address of its own. Before the siege it visits
the page alone for as long, and its times are compared with that. A quote is due when the search is done, the first
token when a scripted model has been asked, which answers at once with 20 words per second.

Page, model, visitor and attackers share the processors. The attackers run with nice 19, because real ones bring their
own, and start at most `--rate` actions per second each. If other programs used the processors, their cores are in the
table; the times are then worth little. Memory is that after a rest of a minute, and at the end, four minutes after the
siege, like files; it is compared with that after a guest of each kind came for five seconds. A visitor's data stays for
a minute instead of an hour, so that it isn't counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.host import others_seconds, ticks, was_busy
from harness.pages.chat_app import BENCHMARKS, ROOT, Server, model_server, run_chat
from harness.siege.attack_process import KINDS
from harness.siege.guest import Guest, Page
from harness.siege.honest import QUESTIONS, visit, visit_regularly
from harness.siege.leftovers import Folders, Memory
from harness.siege.outcome import Outcome, Siege
from harness.tables import table, write

HONEST_ADDRESS = "127.0.1.1"
MODEL_WORDS_PER_SECOND = 20
ACTIONS = ("page", "first_quote", "first_token", "citation", "link")
MAX_RATIO, MAX_GROWTH = 2.0, 1.1
# Seconds until each kind of guest is at work.
SIEGE_BEGINS = 3
# Seconds in which the page ends what the guests of the warm-up have begun.
WORK_LEFT = 10
AFTER_REST, AT_END = "after the rest", "at the end"
NOTES = "The harbour opens at six and closes when the last boat is home. " * 2_000
TRACEBACK = re.compile(r"^Traceback.*\n(?:[ ].*\n)*(\S.*)", re.M)


def sieges(guests: int, rate: float, kinds: str) -> list[Siege]:
    """Return the sieges; those of connections are 50 guests with 20 idle ones and 15 with 20 slow ones."""
    connections = ["idle_connections"] * 10 + ["slow_heads"] * 3
    limited = ["--guests", str(guests), "--rate", str(rate), *(["--kinds", kinds] if kinds else [])]
    return [
        Siege("1,000 idle and 300 slow connections", ["--kinds", ",".join(connections), "--guests", "65"]),
        Siege(f"{guests} guests from 8 addresses", [*limited, "--addresses", "8"]),
        Siege(f"{guests} guests with an address each", [*limited, "--addresses", str(guests)]),
    ]


async def run_siege(siege: Siege, server: Server, folders: Folders, seconds: float, rest: float) -> Outcome:
    """Measure the visitor alone and under siege, then let the page rest."""
    visitor = Guest(Page.from_config(server.url, server.config), HONEST_ADDRESS)
    await warm_up(visitor, server.url)
    alone = await visit_regularly(visitor, seconds)
    memory = {"before": Memory.of(server.pid)}
    attackers = await start_attackers(server.url, "--seconds", str(seconds), *siege.options)
    assert attackers.stdout
    await attackers.stdout.readline()  # until they have started
    await asyncio.sleep(SIEGE_BEGINS)
    cpu, others, started = server.cpu_seconds(), others_seconds(), time.perf_counter()
    visits = await visit_regularly(visitor, seconds - SIEGE_BEGINS)
    elapsed = time.perf_counter() - started
    cores = (server.cpu_seconds() - cpu) / elapsed, max(0.0, others_seconds() - others) / elapsed
    memory["siege"] = Memory.of(server.pid)
    attacks = json.loads((await attackers.communicate())[0])
    await asyncio.sleep(rest)
    memory[AFTER_REST] = Memory.of(server.pid)
    await asyncio.sleep(3 * rest)
    memory[AT_END] = Memory.of(server.pid)
    files = folders.files_of_nobody()
    errors = TRACEBACK.findall(os.pread(server.log.fileno(), 1 << 24, 0).decode(errors="replace"))
    return Outcome(siege, alone, visits, memory, *cores, files, errors, attacks)


async def start_attackers(url: str, *options: str) -> asyncio.subprocess.Process:
    """Start the guests; their first line says that all are there."""
    command = [sys.executable, "-m", "harness.siege.attack_process", url, *options]
    return await asyncio.create_subprocess_exec(*command, cwd=BENCHMARKS, stdout=asyncio.subprocess.PIPE)


async def warm_up(visitor: Guest, url: str) -> None:
    """Do once what needs memory for good: load models, readers and modules, embed a document of 50 pages.

    A guest of each kind comes for some seconds, because each needs modules that nobody needed before.
    """
    await visitor.add_file("notes.txt", NOTES.encode())
    first = await visit(visitor, QUESTIONS[0])
    assert not first.error, first.error
    guests = await start_attackers(url, "--guests", str(len(KINDS)), "--addresses", "8", "--seconds", "5")
    await guests.communicate()
    await asyncio.sleep(WORK_LEFT)


def measure(siege: Siege, seconds: float, rest: float) -> Outcome:
    """Run a siege of a new page."""
    with ExitStack() as stack:
        port = stack.enter_context(model_server(0, MODEL_WORDS_PER_SECOND))
        folders = Folders(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        catalog = folders.root / "catalog.toml"
        catalog.write_text(f'[paced]\nkind = "openai"\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "paced"\n')
        app = [str(ROOT / "spaces/chat_rag/app.py"), "--catalog", str(catalog)]
        server = stack.enter_context(run_chat(app, **folders.environment, SPACEPORT_SESSION_MINUTES="1"))
        return asyncio.run(run_siege(siege, server, folders, seconds, rest))


def report(outcomes: Sequence[Outcome], settings: dict[str, Any]) -> bool:
    """Print the tables, write the figures, and return whether the goals are met."""
    print(f"{_times_table(outcomes)}\n\n{_resources_table(outcomes)}\n")
    goals = _goals(outcomes)
    for goal, is_met in goals.items():
        print(f"{'met   ' if is_met else 'MISSED'}  {goal}")
    write("siege", settings | {"goals": goals, "sieges": [outcome.as_json() for outcome in outcomes]})
    return all(goals.values())


def _times_table(outcomes: Sequence[Outcome]) -> str:
    rows = [
        [
            outcome.siege.name,
            action.replace("_", " "),
            f"{outcome.seconds(action, outcome.alone) * 1000:.0f}",
            f"{outcome.seconds(action, outcome.visits) * 1000:.0f}",
            f"{outcome.ratio(action):.2f}",
            f"{outcome.slowest(action) * 1000:.0f}",
        ]
        for outcome in outcomes
        for action in ACTIONS
    ]
    return table(["siege", "what", "alone (ms)", "under siege (ms)", "×", "slowest (ms)"], rows)


def _resources_table(outcomes: Sequence[Outcome]) -> str:
    rows = [
        [
            outcome.siege.name,
            f"{len(outcome.lost)} of {len(outcome.visits)}",
            f"{outcome.page_cores:.2f}",
            f"{outcome.other_cores:.2f}",
            *(f"{memory.page:.0f} + {memory.readers:.0f}" for memory in outcome.memory.values()),
            str(len(outcome.files)),
            str(len(outcome.errors)),
        ]
        for outcome in outcomes
    ]
    sizes = [f"MB {when}" for when in outcomes[0].memory]
    heads = ["siege", "visits lost", "page's cores", "others' cores", *sizes, "files of nobody", "errors in the log"]
    return table(heads, rows)


def _goals(outcomes: Sequence[Outcome]) -> dict[str, bool]:
    return {
        "no visit is lost": not any(outcome.lost for outcome in outcomes),
        f"first quote and first token at most {MAX_RATIO:g} times as late": all(
            outcome.ratio(action) <= MAX_RATIO for outcome in outcomes for action in ("first_quote", "first_token")
        ),
        f"memory within 10 % {AFTER_REST}": all(outcome.growth(AFTER_REST) <= MAX_GROWTH for outcome in outcomes),
        f"memory within 10 % {AT_END}": all(outcome.growth(AT_END) <= MAX_GROWTH for outcome in outcomes),
        "no file of nobody": not any(outcome.files for outcome in outcomes),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--guests", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2, help="actions per second of a guest, at most (2)")
    parser.add_argument(
        "--kinds", default="", help="only these kinds of guests, such as large_calls,slow_readers (all)"
    )
    parser.add_argument("--rest", type=float, default=60, help="seconds of the rest; the end is after four (60)")
    parser.add_argument("--only", default="", metavar="NAME", help="only the sieges with this in their names")
    options = parser.parse_args()
    outcomes, since = list[Outcome](), ticks()
    for siege in sieges(options.guests, options.rate, options.kinds):
        if options.only in siege.name:
            outcomes.append(measure(siege, options.seconds, options.rest))
            print(f"{siege.name}: lost {outcomes[-1].lost}, {outcomes[-1].attacks}", file=sys.stderr)
    settings = {"seconds": options.seconds, "rate": options.rate, "host_was_busy": was_busy(since)}
    sys.exit(0 if report(outcomes, settings) else 1)


if __name__ == "__main__":
    main()
