"""`models`, `pull` and `use`: the models for this machine, their download, and the one in use."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

from backends.catalog import Catalog
from backends.errors import NotConfigured
from backends.local_models.default_model import VARIABLE, choose_model, chosen_model
from backends.local_models.download import cache_folder, download, find_downloaded
from backends.local_models.fit import LocalModel, best_model, local_models
from backends.local_models.model_files import find_model
from backends.machine.resources import this_machine
from backends.stopwatch import Stopwatch
from backends.streams import closing, report_progress
from backends.types import ChatRequest, Downloadable, Message

PACKAGED = "packaged"
# Long enough that reading it and writing an answer take a time that says something.
_TEXT = "The harbour of the island has three piers, and each pays its dues to the keeper of the light. " * 20
_QUESTION = f"{_TEXT}\n\nRepeat the last sentence, then say who pays dues."


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add `models`, `pull` and `use` to the commands of python -m backends."""
    models = commands.add_parser("models", parents=[common], help="list models that this machine can run")
    models.set_defaults(command=_models)
    pull = commands.add_parser("pull", parents=[common], help="download a model of `models`, or that of a target")
    pull.add_argument("name", help="the model or the target")
    pull.set_defaults(command=_pull)
    use = commands.add_parser("use", parents=[common], help="make a model this machine's default")
    use.add_argument("name", help=f"a model of `models`, a path, hf:owner/repo/file.gguf, or “{PACKAGED}”")
    use.set_defaults(command=_use)


async def _models(options: argparse.Namespace) -> int:
    machine = this_machine(cache_folder())
    best, model_in_use = best_model(machine), chosen_model()
    gpu = f"{machine.gpu_memory_gb:.0f} GB of GPU memory" if machine.gpu_memory_gb else "no GPU that llama.cpp sees"
    print(f"This machine: {machine.memory_gb:.0f} GB of memory, {gpu}, {machine.disk_gb:.0f} GB of free disk.\n")
    print(f"{'model':<16}{'parameters':>11}{'download':>10}{'memory':>9}  {'license':<12}{'fits':<19}state")
    for model in local_models().values():
        downloaded = find_downloaded(model) is not None
        state = "in use" if model_in_use == model.name else "downloaded" if downloaded else ""
        print(_row(model, model.fit(machine, downloaded=downloaded), state or ("fits best" if model == best else "")))
    if not model_in_use:
        print("\nIn use: the packaged model, which is tiny.")
    elif model_in_use not in local_models():
        print(f"\nIn use: {model_in_use}")
    if best:
        print(f"python -m backends pull {best.name} downloads the one that fits best.")
    return 0


def _row(model: LocalModel, fit: str, state: str) -> str:
    return (
        f"{model.name:<16}{model.parameters:>9.1f} B{model.file_gb:>7.1f} GB{model.memory_gb:>6.1f} GB  "
        f"{model.license:<12}{fit:<19}{state}".rstrip()
    )


async def _pull(options: argparse.Namespace) -> int:
    if model := local_models().get(options.name):
        await _print_progress(report_progress(lambda report: download(model, report)))
        print(await _measure(model.name))
        print(f"Use it: python -m backends use {model.name}")
        return 0
    backend = Catalog.load(options.catalog).connect(options.name)
    if isinstance(backend, Downloadable):
        await _print_progress(backend.pull())
    else:
        print(f"{options.name} has nothing to download: its model is on the server.")
    return 0


async def _print_progress(steps: AsyncIterator[tuple[str, float | None]]) -> None:
    """Print each step of a download that reads differently from the one before."""
    last = ""
    async with closing(steps):
        async for step, progress in steps:
            line = step if progress is None else f"{step} {progress:.0%}"
            if line != last:
                print(line, flush=True)
            last = line


async def _use(options: argparse.Namespace) -> int:
    name = options.name
    if name == PACKAGED:
        choose_model(None)
        print("In use: the packaged model.")
    else:
        if await asyncio.to_thread(find_model, name) is None:
            raise NotConfigured(f"{name} isn't on this machine.", f"Download it first: python -m backends pull {name}")
        choose_model(name)
        print(f"In use: {name}")
    if os.environ.get(VARIABLE):
        print(f"{VARIABLE} is set to {os.environ[VARIABLE]} and comes first: unset it.")
    return 0


async def _measure(name: str) -> str:
    """Return how fast a model reads and writes on this machine."""
    from backends.kinds.embedded import connect

    backend, stopwatch = connect({"model": name, "parallel": 1}), Stopwatch()
    await backend.check()  # which loads it
    request = ChatRequest((Message("user", _QUESTION),), max_tokens=64, temperature=0.0)
    events: AsyncIterator[Any] = stopwatch.record(backend.stream(request))
    async for _ in events:
        pass
    await backend.aclose()
    usage, first = stopwatch.usage, stopwatch.first_token_seconds
    reads = f"reads {usage.input_tokens / first:.0f} tokens/s" if usage and first else "first token unknown"
    rate = stopwatch.tokens_per_second
    return f"On this machine it {reads}" + (f" and writes {rate:.0f} tokens/s." if rate else ".")
