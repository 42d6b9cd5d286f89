"""The one shape of a deployment: plan, deploy, status, test, benchmark, autoscale, update, rollback, cost, delete."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from backends import Catalog, ChatRequest, Delta, Message, Stopwatch
from backends.http import client as http
from backends.terminal import exit_status
from cloud import cost
from cloud.calls import Call, CloudError, Resource, Say, Step, carry_out, printed
from cloud.settings import load

S = TypeVar("S")


class Platform(Protocol[S]):
    """What one cloud does for each command; making it touches no network."""

    title: str
    program: str  # the script's name, for remedies
    file: Path  # the settings beside it
    prefix: str  # of variables in the environment
    settings: type[S]

    def plan(self, settings: S) -> Sequence[Call]:
        """Every call of a deployment, without credentials."""

    def steps(self, settings: S) -> Sequence[Step]:
        """The same calls with the means to make them."""

    def scaling(self, settings: S) -> Sequence[Step]:
        """What makes it scale by itself."""

    def update(self, settings: S, say: Say) -> None:
        """Bring what the settings say now into service without an interruption."""

    def rollback(self, settings: S, say: Say) -> None:
        """Bring the version before into service again."""

    def resources(self, settings: S) -> Sequence[Resource]:
        """What is there, the costly ones with their price; empty if nothing is."""

    def delete(self, settings: S, say: Say) -> None:
        """Delete all of it, and wait until it is gone."""

    def target(self, settings: S) -> Mapping[str, Any]:
        """The catalogue entry that calls it."""

    def price(self, settings: S) -> str:
        """The row of the price table that it runs on."""


class Command(Generic[S]):
    """The command line over one platform."""

    def __init__(self, platform: Platform[S]) -> None:
        self._platform = platform

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Do what the command says; 0 good, 1 failed, 2 wrong use, 130 interrupted."""
        options = self._parser().parse_args(arguments)
        do: Callable[[argparse.Namespace, S], int] = options.do

        def run() -> int:
            settings = load(self._platform.settings, options.file, self._platform.prefix, options.set)
            return do(options, settings)

        return exit_status(run)

    def _parser(self) -> argparse.ArgumentParser:
        platform = self._platform
        parser = argparse.ArgumentParser(prog=platform.program, description=f"A model on {platform.title}.")
        commands = parser.add_subparsers(required=True, metavar="COMMAND")

        def command(name: str, do: Callable[[argparse.Namespace, S], int], text: str) -> argparse.ArgumentParser:
            added = commands.add_parser(name, help=text, description=text)
            added.add_argument("--file", type=Path, default=platform.file, help=f"settings ({platform.file.name})")
            added.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one setting")
            added.set_defaults(do=do)
            return added

        plan = command("plan", self._plan, "print each API call and what it will cost; change nothing")
        plan.add_argument("--json", action="store_true", help="as JSON")
        command("deploy", self._deploy, "make what is not there yet, and wait until it answers")
        command("status", self._status, "what is there, in which state, at which price")
        test = command("test", self._test, "ask it one question")
        test.add_argument("question", nargs="?", default="Why is the sky blue? One sentence.")
        benchmark = command("benchmark", self._benchmark, "measure it into a run that the comparator loads")
        benchmark.add_argument("--out", type=Path, required=True, help="where the run goes (JSONL)")
        benchmark.add_argument("--concurrency", default="1,4", help="requests in flight (1,4)")
        benchmark.add_argument("--requests", type=int, default=40, help="measured at each load (40)")
        command("autoscale", self._autoscale, "let it scale by itself between the bounds of the settings")
        command("update", self._update, "bring changed settings into service without an interruption")
        command("rollback", self._rollback, "bring the version before into service again")
        priced = command("cost", self._cost, "what 1,000 requests cost, from a run of benchmark")
        priced.add_argument("run", type=Path, help="a run of benchmark")
        priced.add_argument(
            "--utilisation", type=float, default=0.3, help="a share of its capacity to compare with (0.3)"
        )
        delete = command("delete", self._delete, "delete all of it, and see that nothing is left")
        delete.add_argument("--yes", action="store_true", help="do not ask")
        return parser

    def _plan(self, options: argparse.Namespace, settings: S) -> int:
        calls = self._platform.plan(settings)
        if options.json:
            told = [{"service": call.service, "operation": call.operation, "payload": call.payload} for call in calls]
            print(json.dumps(told, indent=2, default=str))
        else:
            print(printed(calls))
        return 0

    def _deploy(self, options: argparse.Namespace, settings: S) -> int:
        self._carry_out(options, self._platform.steps(settings))
        print(f"It is in service. Try it: {self._again(options, 'test')}")
        return 0

    def _autoscale(self, options: argparse.Namespace, settings: S) -> int:
        steps = self._platform.scaling(settings)
        if not steps:
            raise CloudError("These settings leave nothing to scale.", "Give them bounds with room between.")
        self._carry_out(options, steps)
        return 0

    def _carry_out(self, options: argparse.Namespace, steps: Sequence[Step]) -> None:
        carry_out(steps, _say, resume=self._again(options), clean_up=self._again(options, "delete"))

    def _status(self, options: argparse.Namespace, settings: S) -> int:
        found = self._platform.resources(settings)
        if not found:
            print("Nothing is there.")
            return 1
        for resource in found:
            print(resource.line)
            for name, value in resource.detail.items():
                print(f"    {name}: {value}")
        print(_total(found))
        return 0

    def _test(self, options: argparse.Namespace, settings: S) -> int:
        catalog = Catalog({"deployed": dict(self._platform.target(settings))}, source=str(options.file))
        watch = Stopwatch()

        async def ask() -> None:
            request = ChatRequest((Message("user", options.question),), max_tokens=128)
            async for event in watch.watch(catalog.connect("deployed").stream(request)):
                if isinstance(event, Delta):
                    print(event.text, end="", flush=True)
            await http.aclose()

        asyncio.run(ask())
        first, total = watch.first_token_seconds or 0.0, watch.total_seconds or 0.0
        tokens = f", {watch.usage.output_tokens} tokens" if watch.usage else ""
        print(f"\nfirst token after {first:.2f} s, done after {total:.2f} s{tokens}", file=sys.stderr)
        return 0

    def _benchmark(self, options: argparse.Namespace, settings: S) -> int:
        target = dict(self._platform.target(settings)) | {"price": self._platform.price(settings)}
        return cost.benchmark(target, options.out, options.concurrency, options.requests)

    def _cost(self, options: argparse.Namespace, settings: S) -> int:
        print(cost.told(options.run, self._platform.price(settings), options.utilisation))
        return 0

    def _update(self, options: argparse.Namespace, settings: S) -> int:
        self._platform.update(settings, _say)
        return 0

    def _rollback(self, options: argparse.Namespace, settings: S) -> int:
        self._platform.rollback(settings, _say)
        return 0

    def _delete(self, options: argparse.Namespace, settings: S) -> int:
        found = self._platform.resources(settings)
        if not found:
            print("Nothing is there.")
            return 0
        for resource in found:
            print(resource.line)
        print(_total(found))
        if not options.yes and input("Delete all of it? Write yes: ").strip() != "yes":
            print("Nothing was deleted.")
            return 1
        self._platform.delete(settings, _say)
        if left := self._platform.resources(settings):
            told = ", ".join(f"{resource.kind} {resource.name}" for resource in left)
            raise CloudError(f"Still there: {told}.", f"Delete again: {self._again(options)}")
        print("Nothing is left.")
        return 0

    def _again(self, options: argparse.Namespace, command: str | None = None) -> str:
        """The command to type with the same settings."""
        given = [f"--set {each}" for each in options.set]
        file = [] if options.file == self._platform.file else [f"--file {options.file}"]
        name = command or next(name for name in COMMANDS if getattr(self, f"_{name}") == options.do)
        return " ".join(["python", self._platform.program, name, *file, *given])


COMMANDS = ("plan", "deploy", "status", "test", "benchmark", "autoscale", "update", "rollback", "cost", "delete")


def wait_for(done: Callable[[], str | None], say: Say, *, what: str, seconds: float, poll: float) -> None:
    """Ask `done` until it gives None; what else it gives is a state, told when it changes. `CloudError` when late."""
    told, deadline = "", time.monotonic() + seconds
    while (state := done()) is not None:
        if state != told:
            say(f"    {what}: {state}")
            told = state
        if time.monotonic() > deadline:
            raise CloudError(f"{what} is still {state} after {seconds:g} s.", "Wait, then go on.")
        time.sleep(poll)


def _say(text: str) -> None:
    print(text, flush=True)


def _total(found: Sequence[Resource]) -> str:
    unknown = any(resource.usd_hour is None for resource in found)
    more = ", and what has no price here" if unknown else ""
    return f"{sum(resource.usd_hour or 0 for resource in found):.4g} USD an hour{more}"
