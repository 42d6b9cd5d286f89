"""The options that describe a workload without a file, and the workload that a command measures."""

from __future__ import annotations

import argparse
from typing import Any

from compare.errors import PlanError
from compare.measure.workloads.find_workload import find_workload
from compare.measure.workloads.workload import DEFAULT_WORKLOAD, MAX_QUESTIONS_BYTES, Workload

# Each option and its place in the settings of a generated workload.
SHAPE_OPTIONS = {
    "prompt_tokens": ("prompt_tokens",),
    "prefix_tokens": ("prefix", "tokens"),
    "turns": ("conversation", "turns"),
    "think_seconds": ("conversation", "think_seconds"),
}
GENERATED = "generated"
DEFAULT_PROMPT_TOKENS = 128


def add_shape_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that generate prompts."""
    add = parser.add_argument_group("generated prompts, in place of a workload").add_argument
    add("--prompt-tokens", type=float, metavar="N", help=f"about so many tokens each ({DEFAULT_PROMPT_TOKENS})")
    add("--prefix-tokens", type=int, metavar="N", help="a prefix of so many tokens that all prompts share")
    add("--turns", type=float, metavar="N", help="conversations of so many turns, with the target's own answers")
    add("--think-seconds", type=float, metavar="S", help="before each further turn (0)")


def shape_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a generated workload that the options contain; {} without one of them."""
    settings: dict[str, Any] = {}
    for option, (*tables, key) in SHAPE_OPTIONS.items():
        if (value := getattr(options, option)) is not None:
            place = settings
            for table in tables:
                place = place.setdefault(table, {})
            place[key] = value
    return settings


def chosen_workload(options: argparse.Namespace) -> Workload:
    """Return the workload of a name, a file, or the options that generate one."""
    if not (settings := shape_settings(options)):
        return find_workload(options.workload or DEFAULT_WORKLOAD, MAX_QUESTIONS_BYTES)
    if options.workload is not None:
        raise PlanError("A run has either a workload or generated prompts.", "Put their settings into a TOML file.")
    from compare.measure.workloads.generated.generate import generate  # pydantic: --help must not wait for it
    from compare.measure.workloads.generated.spec import make_spec

    return generate(make_spec({"prompt_tokens": DEFAULT_PROMPT_TOKENS} | settings, "The options"), GENERATED)
