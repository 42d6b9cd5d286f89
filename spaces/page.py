"""What the pages of all Spaces do alike: their command line, how they are served, and text that is safe to show."""

from __future__ import annotations

import argparse
import importlib
import os
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from backends import Target
from theme import CSS, HEAD, theme

if os.environ.get("SPACES_ZERO_GPU"):
    # ZeroGPU refuses to start an app that has not shown it the function that wants a GPU.
    importlib.import_module("backends.transformers")

_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def arguments(given: Sequence[str], description: str) -> argparse.Namespace:
    """The options of `python app.py`: a target, a catalogue, where to listen."""
    parser = argparse.ArgumentParser(prog="app.py", description=description)
    parser.add_argument("--backend", metavar="NAME", help="the target that is chosen at first")
    parser.add_argument("--catalog", metavar="PATH", help="another catalogue of targets")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (7860, or the next one that is free)")
    parser.add_argument("--share", action="store_true", help="a public link through gradio.live")
    return parser.parse_args(given)


def serving(options: argparse.Namespace, *, max_file_mb: int) -> dict[str, Any]:
    """The arguments of `launch()`: the options, the look, and nothing that tells others about a visitor."""
    return {
        "server_name": options.host,
        "server_port": options.port,
        "share": options.share or None,
        "theme": theme(),
        "css": CSS,
        "head": HEAD,
        "max_file_size": f"{max_file_mb}mb",
        "run_history": False,
        "footer_links": ["gradio"],
        "ssr_mode": False,
    }


def head_html(title: str, line: str) -> str:
    """The top of a page."""
    return f'<div class="sp-head"><h1>{escape(title)}</h1><p>{escape(line)}</p></div>'


def outside_code(text: str) -> list[tuple[str, bool]]:
    """The parts of a Markdown text, each with whether it is code."""
    return [(part, bool(index % 2)) for index, part in enumerate(_CODE.split(text))]


def safe_markdown(text: str) -> str:
    """A model's text as Markdown that loads nothing from elsewhere.

    A picture or a tag with a remote address would tell its owner what a document says: pictures become
    links and tags become text, except in code, which is shown as it is.
    """
    return "".join(
        part if code else _TAG.sub("&lt;", part).replace("![", "!\u200b[") for part, code in outside_code(text)
    )


def unavailable_html(targets: Iterable[Target]) -> str:
    """The targets that cannot be used, each with the reason and the remedy."""
    missing = [target for target in targets if target.unavailable]
    items = "".join(f"<li><b>{escape(target.title)}</b> {escape(target.reason)}</li>" for target in missing)
    return f'<div class="sp-note"><p>Models that are not set up:</p><ul>{items}</ul></div>' if missing else ""


def bar_html(text: str, share: float | None) -> str:
    """What is being done, and a bar for how much of it is done (0 to 1; None where that is not known)."""
    width = "" if share is None else f'<div class="sp-bar"><i style="width:{min(1, share):.1%}"></i></div>'
    return f'<div class="sp-progress"><p class="sp-note">{escape(text)}</p>{width}</div>'
