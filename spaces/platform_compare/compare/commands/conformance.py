"""The command `python -m compare conformance`, which scores a load tool against known timestamps."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from compare.commands.execution import INTERRUPTED
from compare.commands.output import write_file
from compare.errors import CompareError

MISSED = 3


def add_conformance_command(commands: Any) -> None:
    """Add `conformance` to the commands of `python -m compare`."""
    text = "score a load tool against a server that knows when it sent each text"
    parser = commands.add_parser("conformance", help=text, description=f"{text}; status 3 if a figure is wrong")
    parser.add_argument("--preset", metavar="NAME", help="a known tool: spaceport, aiperf, guidellm or vllm")
    parser.add_argument("--program", metavar="PATH", help="the preset's program (for vllm: the Python that has it)")
    parser.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="for presets that need one (the demo's)")
    parser.add_argument("--case", action="append", metavar="NAME", help="only this case; repeat it for more (all)")
    parser.add_argument("--scale", action="store_true", help="1, 16, 64 and 256 at once, and prompts of 100,000 tokens")
    parser.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS", help="for one case (300)")
    parser.add_argument("--output", metavar="PATH", default="{out}", help="where the tool writes its JSON ({out})")
    parser.add_argument(
        "--figure", action="append", default=[], metavar="NAME=PATH", help="ttft_median_ms=summary.ttft.p50, …"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all scores as JSON")
    parser.add_argument(
        "tool",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="any tool, with {url}, {model}, {concurrency}, {clients}, {requests}, {tokens}, {prompt_tokens}, "
        "{tokenizer}, {out}",
    )
    parser.set_defaults(command=_score)


def _score(options: argparse.Namespace) -> int:
    from compare.conformance.score import score_tool
    from compare.conformance.server import scripted_server
    from compare.conformance.table import scores_json, scores_table, total
    from compare.conformance.tools import default_tokenizer

    tool = _tool(options)
    cases = _cases(options)
    values: dict[str, object] = {"program": options.program or tool.program}
    if tokenizer := options.tokenizer or default_tokenizer():
        values["tokenizer"] = tokenizer
    results, interrupted = [], True
    with scripted_server() as server, suppress(KeyboardInterrupt):  # the cases until then have a table
        for result in score_tool(tool, server, cases, values, options.timeout):
            print(f"{result.case.name}: {result.problem or 'done'}", file=sys.stderr, flush=True)
            results.append(result)
        interrupted = False
    passed, of = total(results)
    print(f"{scores_table(results)}\n\n{tool.title}: {passed} of {of} figures are right.")
    write_file(options.json, json.dumps(scores_json(tool.title, results), indent=2) + "\n")
    if interrupted:
        return INTERRUPTED
    return 0 if passed == of else MISSED


def _cases(options: argparse.Namespace) -> list[Any]:
    from compare.conformance.score import CASES, SCALE_CASES

    if not options.case:
        return list(SCALE_CASES if options.scale else CASES)
    known = {case.name: case for case in (*CASES, *SCALE_CASES)}
    if unknown := set(options.case) - set(known):
        raise CompareError(f"There is no case {min(unknown)!r}.", f"Use {', '.join(known)}.")
    return [case for name, case in known.items() if name in options.case]


def _tool(options: argparse.Namespace) -> Any:
    from compare.conformance.tools import Tool, parse_figures, preset

    command = options.tool[1:] if options.tool[:1] == ["--"] else options.tool
    if bool(options.preset) == bool(command):
        raise CompareError("Name a preset or a command.", "python -m compare conformance --preset aiperf")
    if options.preset:
        return preset(options.preset)
    figures = parse_figures(options.figure)
    if not figures:
        raise CompareError("No figure is named.", "Say where it is: --figure ttft_median_ms=summary.ttft.p50.")
    return Tool(shlex.join(command)[:60], [command], options.output, figures)
