"""What the pages of all Spaces do alike: their command line, how they are served, and text that is safe to show."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from starlette.middleware import Middleware

from backends import Target
from ui.guard import Guard
from ui.theme import CSS, HEAD, theme

if os.environ.get("SPACES_ZERO_GPU"):
    # ZeroGPU refuses to start an app that has not shown it the function that wants a GPU.
    importlib.import_module("backends.transformers.backend")

_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
NO_WIDTH = "\u200b"
# The first characters of a tag, of a picture, and of a fence behind which a diagram is drawn.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)|[`~](?=[`~]{2,}\s*mermaid)", re.IGNORECASE)
_MADE_SAFE = re.compile(rf"([<!`~]){NO_WIDTH}")


def arguments(given: Sequence[str], description: str) -> argparse.Namespace:
    """The options of `python app.py`: a target, a catalogue, where to listen."""
    parser = argparse.ArgumentParser(prog="app.py", description=description)
    parser.add_argument("--backend", metavar="NAME", help="the target that is chosen at first")
    parser.add_argument("--catalog", metavar="PATH", help="another catalogue of targets")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (7860, or the next one that is free)")
    parser.add_argument("--share", action="store_true", help="a public link through gradio.live")
    return parser.parse_args(given)


def serving(
    options: argparse.Namespace, *, max_file_mb: int, css: str = "", private: Sequence[str] = ()
) -> dict[str, Any]:
    """The arguments of `launch()`: the options, the look with a page's own `css`, nothing that tells of a visitor.

    What lies in the `private` folders is never served.
    """
    return {
        "server_name": options.host,
        "server_port": options.port,
        "share": options.share or None,
        "auth": auth(),
        "theme": theme(),
        "css": CSS + css,
        "head": HEAD,
        "blocked_paths": list(private),
        "enable_monitoring": False,
        "app_kwargs": {"middleware": [Middleware(Guard)]},
        "max_file_size": f"{max_file_mb}mb",
        "run_history": False,
        "footer_links": ["gradio"],
        "ssr_mode": False,
    }


def auth() -> list[tuple[str, str]] | None:
    """Who may enter: `name:password` in SPACEPORT_AUTH, separated by white space; None lets everybody in."""
    pairs = [entry.partition(":") for entry in os.environ.get("SPACEPORT_AUTH", "").split()]
    if any(not (name and password) for name, _, password in pairs):
        raise SystemExit("error: SPACEPORT_AUTH has an entry without a name or a password.\n  Write name:password.")
    return [(name, password) for name, _, password in pairs] or None


def wants_mcp() -> bool:
    """Whether SPACEPORT_MCP asks for the page's API as MCP tools, which wants packages of its own."""
    if not os.environ.get("SPACEPORT_MCP"):
        return False
    if importlib.util.find_spec("mcp") is None:
        raise SystemExit("error: SPACEPORT_MCP wants the package mcp.\n  Install it: pip install mcp.")
    return True


def head_html(title: str, line: str) -> str:
    """The top of a page."""
    return f'<div class="sp-head"><h1>{escape(title)}</h1><p>{escape(line)}</p></div>'


def outside_code(text: str) -> list[tuple[str, bool]]:
    """The parts of a Markdown text, each with whether it is code."""
    return [(part, bool(index % 2)) for index, part in enumerate(_CODE.split(text))]


def safe_markdown(text: str) -> str:
    """A model's text as Markdown that loads nothing from elsewhere.

    A picture or a tag with a remote address would tell its owner what a document says. A space of no width takes the
    meaning from what begins one, in code as well: renderers do not agree on what is code, and who attacks knows where.
    """
    return _ACTIVE.sub(f"\\g<0>{NO_WIDTH}", text)


def plain(text: str) -> str:
    """The text that `safe_markdown` was given."""
    return _MADE_SAFE.sub(r"\1", text)


def unavailable_html(targets: Iterable[Target]) -> str:
    """The targets that cannot be used, each with the reason and the remedy."""
    missing = [target for target in targets if target.unavailable]
    items = "".join(f"<li><b>{escape(target.title)}</b> {escape(target.reason)}</li>" for target in missing)
    return f'<div class="sp-note"><p>Models that are not set up:</p><ul>{items}</ul></div>' if missing else ""


def bar_html(text: str, share: float | None) -> str:
    """What is being done, and a bar for how much of it is done (0 to 1; None where that is not known)."""
    width = "" if share is None else f'<div class="sp-bar"><i style="width:{min(1, share):.1%}"></i></div>'
    return f'<div class="sp-progress"><p class="sp-note">{escape(text)}</p>{width}</div>'
