"""The command line of both clouds: plan, deploy, status, test, benchmark, autoscale, update, rollback, cost, delete."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic

from backends import Catalog, ChatRequest, Delta, Message, Stopwatch
from backends.commands.terminal import exit_status
from backends.http.connections import close_connections
from cloud.calls import CloudError, Resource, Step, format_plan, run_steps
from cloud.platform import Comparator, Platform, S
from cloud.settings import load

Action = Callable[[argparse.Namespace, S], int]


class Command(Generic[S]):
    """The command line for one platform; the comparator knows the prices and measures what is deployed."""

    def __init__(self, platform: Platform[S], comparator: Comparator) -> None:
        self._platform = platform
        self._comparator = comparator

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run the command; return 0 for success, 1 for failure, 2 for wrong usage, 130 if interrupted."""
        options = self._parser().parse_args(arguments)
        action: Action[S] = options.action

        def run() -> int:
            settings = load(self._platform.settings, options.file, self._platform.prefix, options.set)
            return action(options, settings)

        return exit_status(run)

    def _parser(self) -> argparse.ArgumentParser:
        platform = self._platform
        parser = argparse.ArgumentParser(prog=platform.program, description=f"Deploy a model to {platform.title}.")
        commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

        def add(name: str, action: Action[S], text: str) -> argparse.ArgumentParser:
            command = commands.add_parser(name, help=text, description=text)
            command.add_argument("--file", type=Path, default=platform.file, help=f"settings ({platform.file.name})")
            command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one setting")
            command.set_defaults(action=action)
            return command

        plan = add("plan", self._plan, "print each API call and its price; change nothing")
        plan.add_argument("--json", action="store_true", help="as JSON")
        add("deploy", self._deploy, "create what doesn't exist yet, and wait until it's in service")
        add("status", self._status, "list the resources with their states and prices")
        test = add("test", self._test, "ask the model one question")
        test.add_argument("question", nargs="?", default="Why is the sky blue? One sentence.")
        benchmark = add("benchmark", self._benchmark, "measure the endpoint; the comparator can load the result")
        benchmark.add_argument("--out", type=Path, required=True, help="the file of the run (JSONL)")
        benchmark.add_argument("--concurrency", default="1,4", help="requests in flight (1,4)")
        benchmark.add_argument("--requests", type=int, default=40, help="requests per load (40)")
        add("autoscale", self._autoscale, "scale automatically between the bounds of the settings")
        add("update", self._update, "deploy changed settings without an interruption")
        add("rollback", self._rollback, "deploy the previous version again")
        price = add("cost", self._cost, "compute the price of 1,000 requests from a run of benchmark")
        price.add_argument("run", type=Path, help="a run of benchmark")
        price.add_argument("--utilisation", type=float, default=0.3, help="a share of the capacity to compare (0.3)")
        delete = add("delete", self._delete, "delete all resources, and check that none is left")
        delete.add_argument("--yes", action="store_true", help="do not ask")
        return parser

    def _plan(self, options: argparse.Namespace, settings: S) -> int:
        calls = self._platform.plan(settings)
        if options.json:
            values = [{"service": call.service, "operation": call.operation, "payload": call.payload} for call in calls]
            print(json.dumps(values, indent=2, default=str))
        else:
            print(format_plan(calls, self._comparator.usd_hour))
        return 0

    def _deploy(self, options: argparse.Namespace, settings: S) -> int:
        self._run_steps(options, self._platform.steps(settings))
        print(f"It is in service. Try it: {self._command_line(options, 'test')}")
        return 0

    def _autoscale(self, options: argparse.Namespace, settings: S) -> int:
        steps = self._platform.scaling(settings)
        if not steps:
            raise CloudError("These settings leave nothing to scale.", "Set a maximum above the minimum.")
        self._run_steps(options, steps)
        return 0

    def _run_steps(self, options: argparse.Namespace, steps: Sequence[Step]) -> None:
        for step in steps:
            step.call.usd_hour(self._comparator.usd_hour)  # a price that can't be read stops it before the first step
        clean_up = self._command_line(options, "delete")
        run_steps(steps, _report, resume=self._command_line(options, options.command), clean_up=clean_up)

    def _status(self, options: argparse.Namespace, settings: S) -> int:
        resources = self._platform.resources(settings)
        if not resources:
            print("No resources exist.")
            return 1
        for resource in resources:
            print(resource.line(self._comparator.usd_hour))
            for name, value in resource.detail.items():
                print(f"    {name}: {value}")
        print(self._total_price(resources))
        return 0

    def _test(self, options: argparse.Namespace, settings: S) -> int:
        catalog = Catalog({"deployed": dict(self._platform.target(settings))}, source=str(options.file))
        stopwatch = Stopwatch()

        async def ask() -> None:
            request = ChatRequest((Message("user", options.question),), max_tokens=128)
            async for event in stopwatch.record(catalog.connect("deployed").stream(request)):
                if isinstance(event, Delta):
                    print(event.text, end="", flush=True)
            await close_connections()

        asyncio.run(ask())
        first, total = stopwatch.first_token_seconds or 0.0, stopwatch.total_seconds or 0.0
        tokens = f", {stopwatch.usage.output_tokens} tokens" if stopwatch.usage else ""
        print(f"\nfirst token after {first:.2f} s, done after {total:.2f} s{tokens}", file=sys.stderr)
        return 0

    def _benchmark(self, options: argparse.Namespace, settings: S) -> int:
        target = dict(self._platform.target(settings)) | {"price": self._platform.price(settings)}
        return self._comparator.benchmark(target, options.out, options.concurrency, options.requests)

    def _cost(self, options: argparse.Namespace, settings: S) -> int:
        print(self._comparator.cost_report(options.run, self._platform.price(settings), options.utilisation))
        return 0

    def _update(self, options: argparse.Namespace, settings: S) -> int:
        self._platform.update(settings, _report)
        return 0

    def _rollback(self, options: argparse.Namespace, settings: S) -> int:
        self._platform.rollback(settings, _report)
        return 0

    def _delete(self, options: argparse.Namespace, settings: S) -> int:
        resources = self._platform.resources(settings)
        if not resources:
            print("No resources exist.")
            return 0
        for resource in resources:
            print(resource.line(self._comparator.usd_hour))
        print(self._total_price(resources))
        if not options.yes and input("Delete all of it? Type yes: ").strip() != "yes":
            print("Nothing was deleted.")
            return 1
        self._platform.delete(settings, _report)
        if remaining := self._platform.resources(settings):
            names = ", ".join(f"{resource.kind} {resource.name}" for resource in remaining)
            raise CloudError(f"Still exists: {names}.", f"Delete again: {self._command_line(options, 'delete')}")
        print("Nothing is left.")
        return 0

    def _total_price(self, resources: Sequence[Resource]) -> str:
        prices = [resource.usd_hour(self._comparator.usd_hour) for resource in resources]
        note = ", without resources of unknown price" if None in prices else ""
        return f"{sum(price or 0 for price in prices):.4g} USD per hour{note}"

    def _command_line(self, options: argparse.Namespace, command: str) -> str:
        """Return the command line that runs `command` with the same settings."""
        file = [] if options.file == self._platform.file else [f"--file {options.file}"]
        flags = [f"--set {flag}" for flag in options.set]
        return " ".join(["python", self._platform.program, command, *file, *flags])


def _report(text: str) -> None:
    print(text, flush=True)
