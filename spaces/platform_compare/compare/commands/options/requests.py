"""The options that every measuring command has: what its requests contain, and how long they may take."""

from __future__ import annotations

import argparse
from typing import Any

from compare.commands.options.workloads import add_shape_options
from compare.measure.workloads.workload import SHAPES

# The fields of a plan, and the options that set them.
PLAN_FIELDS = {
    "seed": "seed",
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "request_timeout": "timeout",
    "max_seconds": "max_seconds",
}


def add_request_options(parser: argparse.ArgumentParser) -> None:
    """Add the catalogue, the workload, the limits of a request and of the whole, and the form of the progress."""
    parser.add_argument("--catalog", metavar="PATH", help="a catalogue other than the built-in one")
    parser.add_argument("--workload", metavar="NAME|FILE", help=f"{', '.join(SHAPES)}, JSONL or TOML (short)")
    add_shape_options(parser)
    parser.add_argument("--max-tokens", type=int, metavar="N", help="maximum length of an answer (the workload's)")
    parser.add_argument(
        "--temperature", type=float, default=0.0, metavar="T", help="0 is always the likeliest token (0)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the order of targets and the arrivals (0)")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for one request (120)")
    parser.add_argument(
        "--max-seconds", type=float, default=3600.0, metavar="SECONDS", help="for all; what is measured is kept (3600)"
    )
    parser.add_argument("--progress", choices=("text", "json", "none"), default="text", help="on the terminal (text)")


def plan_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a plan that these options contain."""
    return {field: getattr(options, option) for field, option in PLAN_FIELDS.items()}


def target_names(text: str) -> tuple[str, ...]:
    """Return the names of a list such as "laptop, gpu"."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
