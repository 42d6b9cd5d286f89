"""python -m compare run | report | judge: measure targets against each other, and say what came out.

Exit status: 0 good, 1 failed (message and remedy on stderr), 2 wrong use, 3 no request succeeded, 130 interrupted.
`judge` has its own: 0 promote, 1 roll back, 2 go on measuring, 64 wrong use, 65 not to be judged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from backends import Catalog
from backends.terminal import exit_status
from compare import canary_cli as judging
from compare import run_file
from compare.analyse.definitions import DEFINITIONS
from compare.analyse.objectives import OBJECTIVES
from compare.analyse.prices import PerToken, Price, Prices
from compare.errors import CompareError, PriceError
from compare.measure import plan as plans
from compare.measure.measurement import Progress
from compare.measure.plan import Load, RunPlan
from compare.measure.run import execute
from compare.measure.workload import SHAPES, find_workload
from compare.records import Run
from compare.report.report import Report, spot_prices


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return exit_status(lambda: command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m compare", description="Targets measured against each other.")
    commands = parser.add_subparsers(required=True, metavar="run | report | judge")
    _add_run(commands.add_parser("run", help="measure targets, interleaved, into a JSONL of raw arrivals"))
    _add_report(commands.add_parser("report", help="figures, verdicts, costs and pictures of a stored run"))
    judging.add_to(commands)
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--targets", required=True, metavar="A,B", help="names of the catalogue")
    run.add_argument("--catalog", metavar="PATH", help="another catalogue than the built-in one")
    run.add_argument("--out", required=True, type=Path, metavar="FILE", help="where the raw arrivals go (JSONL)")
    load = run.add_mutually_exclusive_group()
    load.add_argument("--concurrency", metavar="1,4", help="closed loops: requests kept in flight (1)")
    load.add_argument("--rate", metavar="2,8", help="open loops: requests sent a second, whatever comes back")
    load.add_argument("--sweep", type=int, metavar="N", help="closed loops at 1, 2, 4 … up to N")
    run.add_argument("--arrivals", choices=("poisson", "constant"), default="poisson", help="of --rate (poisson)")
    run.add_argument("--requests", type=int, default=40, help="measured of each target at each load (40)")
    run.add_argument("--warmup", type=int, default=2, help="sent to each target before and not counted (2)")
    run.add_argument("--workload", default="short", metavar="NAME|FILE", help=f"{', '.join(SHAPES)} or JSONL (short)")
    run.add_argument("--max-tokens", type=int, help="the longest answer (the workload's)")
    run.add_argument("--temperature", type=float, default=0.0)
    run.add_argument("--seed", type=int, default=0, help="of the order of the blocks and of the arrivals (0)")
    run.add_argument("--timeout", type=float, default=120.0, help="seconds for one request (120)")
    run.add_argument(
        "--max-seconds", type=float, default=3600.0, help="of the whole run; what was measured stays (3600)"
    )
    run.add_argument("--progress", choices=("text", "json", "none"), default="text")
    run.set_defaults(command=_run)


def _add_report(report: argparse.ArgumentParser) -> None:
    report.add_argument("run", type=Path, help="a file that `run --out` wrote")
    report.add_argument("--against", type=Path, metavar="FILE", help="an earlier run to compare with")
    report.add_argument(
        "--definition", choices=tuple(DEFINITIONS), default="spaceport", help="whose figures (spaceport)"
    )
    report.add_argument("--objective", choices=tuple(OBJECTIVES), default="default", help="what counts as good")
    report.add_argument("--price", action="append", default=[], metavar="TARGET=PRICE", help="ml.g5.xlarge, 1.25/h, …")
    report.add_argument("--prices", type=Path, metavar="FILE", help="rows of your own, in the form of prices.toml")
    report.add_argument("--spot", action="store_true", help="spot prices where there are any")
    report.add_argument("--utilisation", type=float, default=1.0, help="share of its capacity that is used, 0 to 1 (1)")
    report.add_argument(
        "--break-even", action="append", default=[], metavar="MODEL", help="by the token: openai/gpt-4o"
    )
    report.add_argument("--json", type=Path, metavar="FILE", help="all figures as JSON (- for the terminal)")
    report.add_argument("--html", type=Path, metavar="FILE", help="a page with the pictures that opens by itself")
    report.add_argument("--csv", type=Path, metavar="FILE", help="one line a request")
    report.add_argument("--markdown", type=Path, metavar="FILE", help="what is printed")
    report.set_defaults(command=_report)


def _run(options: argparse.Namespace) -> int:
    plan = RunPlan(
        targets=tuple(name.strip() for name in options.targets.split(",") if name.strip()),
        loads=_loads(options),
        requests=options.requests,
        warmup=options.warmup,
        seed=options.seed,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        request_timeout=options.timeout,
        max_seconds=options.max_seconds,
    )
    workload = find_workload(options.workload)
    catalog = Catalog.load(options.catalog)
    show = {"text": _show, "json": _tell, "none": lambda _: None}[options.progress]

    async def measured() -> str:
        task = asyncio.create_task(execute(plan, workload, catalog, options.out, show))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await task

    reason = asyncio.run(measured())
    if options.progress == "text":
        print(f"\r{reason}: {options.out}\033[K", file=sys.stderr)
    run = run_file.read(options.out)
    if reason == "stopped":
        return 130
    return 0 if any(record.ok for record in run.records if record.phase == "measured") else _nothing(run)


def _nothing(run: Run) -> int:
    failed = next((record.error for record in run.records if record.error), None)
    measured = sum(record.phase == "measured" for record in run.records)
    nothing = f"{measured} answers ended well and held no text" if measured else "nothing was measured"
    told = f"{failed.message}\n  {failed.remedy}" if failed else f"{nothing}."
    print(f"error: no request succeeded. {told}", file=sys.stderr)
    return 3


def _loads(options: argparse.Namespace) -> tuple[Load, ...]:
    if options.sweep is not None:
        return plans.sweep(options.sweep)
    if options.rate is not None:
        return tuple(Load(options.arrivals, rate) for rate in plans.parse_numbers(options.rate, "--rate"))
    return plans.closed_loops(plans.parse_numbers(options.concurrency or "1", "--concurrency"))


def _show(progress: Progress) -> None:
    left = "" if progress.left is None else f", about {progress.left:.0f} s left"
    print(f"\r{progress.done} of {progress.total} requests{left} · {progress.doing}\033[K", end="", file=sys.stderr)


def _tell(progress: Progress) -> None:
    told = {name: getattr(progress, name) for name in ("done", "total", "seconds", "left", "doing")}
    print(json.dumps(told), flush=True)


def _report(options: argparse.Namespace) -> int:
    if not 0 < options.utilisation <= 1:
        raise PriceError(f"A utilisation of {options.utilisation:g} is not possible.", "Give a share above 0, up to 1.")
    given = [path.resolve() for path in (options.run, options.against, options.prices) if path]
    for path in (options.json, options.html, options.csv, options.markdown):
        if path and path.resolve() in given:
            raise CompareError(f"{path} is what the report is read from.", "Choose another path for what is written.")
    run = run_file.read(options.run)
    table = Prices.load(options.prices)
    prices = _prices(options, run, table)
    report = Report(
        run,
        options.definition,
        OBJECTIVES[options.objective],
        spot_prices(prices) if options.spot else prices,
        options.utilisation,
        run_file.read(options.against) if options.against else None,
        [price for text in options.break_even if isinstance(price := table.find(f"tokens:{text}"), PerToken)],
    )
    told = json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n" if options.json else ""
    if str(options.json) == "-":
        print(told, end="")
    else:
        _write(options.json, told)
        print(report.markdown(), end="")
    _write(options.markdown, report.markdown())
    if options.csv:
        from compare.report import tables

        _write(options.csv, tables.requests_csv(run))
    if options.html:
        from compare.report.html_report import html

        _write(options.html, html(report))
    return 0


def _prices(options: argparse.Namespace, run: Run, table: Prices) -> dict[str, Price]:
    """What the command line says, over what the catalogue said when the run was made."""
    named = {name: target.get("price", "") for name, target in run.header["targets"].items()}
    for text in options.price:
        target, _, price = text.partition("=")
        if target not in run.targets or not price:
            raise PriceError(
                f"{text!r} prices no target of this run.", f"Write one of {', '.join(run.targets)}=1.25/h."
            )
        named[target] = price
    return {name: table.find(price) for name, price in named.items() if price}


def _write(path: Path | None, text: str) -> None:
    if path:
        try:
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise CompareError(f"{path} cannot be written ({error.strerror}).", "Choose another path.") from error


if __name__ == "__main__":
    sys.exit(main())
