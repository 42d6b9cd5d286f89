"""The family's look in Streamlit: its CSS, a model's text, errors with their remedy, and how old a figure is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st

from backends import SpaceportError, Target
from backends.stopwatch import wall_clock
from ui import page
from ui.theme import CSS

# What the family's CSS takes from Gradio's themes, each for light and dark.
NEUTRAL = {
    "--body-text-color": ("#1e293b", "#f1f5f9"),
    "--body-text-color-subdued": ("#475569", "#94a3b8"),
    "--border-color-primary": ("#e2e8f0", "#334155"),
    "--background-fill-primary": ("#ffffff", "#0a0f1e"),
    "--background-fill-secondary": ("#f8fafc", "#0f172a"),
}
# What a picture offers: to be saved, and to be seen as a whole again.
PLOT = {"displaylogo": False, "modeBarButtons": [["toImage", "resetScale2d"]]}
OWN = """
.stMainBlockContainer { padding: 4.25rem 1.5rem 3rem; max-width: 1400px; }
[data-testid="stChatInput"] textarea:focus-visible { outline: none !important; }  /* its frame shows it */
.sp-table table { color: var(--body-text-color); }
@media (max-width: 640px) { .stMainBlockContainer { padding: 4rem .75rem 2rem; } }
"""
_PAIRS = re.compile(r"(--sp-\w+): (#\w+);")
_MONEY = re.compile(r"(?<!\\)\$(?=\d)")


def dress() -> None:
    """Put the family's CSS on the page."""
    st.html(f"<style>{css()}</style>")


def css() -> str:
    """The family's CSS; its colours follow Streamlit's theme, which says in `color-scheme` whether it is dark."""
    light, dark = (dict(_PAIRS.findall(line)) for line in CSS.strip().splitlines()[:2])
    pairs = NEUTRAL | {name: (value, dark[name]) for name, value in light.items()}
    colours = " ".join(f"{name}: light-dark({one}, {other});" for name, (one, other) in pairs.items())
    return f".stApp {{ {colours} }}\n{CSS}{OWN}"


def head(title: str, line: str) -> None:
    """The top of a page."""
    st.html(page.head_html(title, line))


def markdown(text: str) -> str:
    """A model's text for Streamlit: it loads nothing from elsewhere, and prices are no formulas."""
    parts = page.outside_code(page.safe_markdown(text))
    return "".join(part if is_code else _MONEY.sub(r"\\$", part) for part, is_code in parts)


def problem(error: SpaceportError, show: Callable[[str], object] = st.error) -> None:
    """What went wrong, and what to do about it."""
    told = " ".join(error.message.split())
    remedy = " ".join(error.remedy.split())
    show(f"**{markdown(told)}**" + (f"\n\n{markdown(remedy)}" if remedy else ""))


def pictures(found: Mapping[str, Any], key: str) -> None:
    """Plotly figures by their title, two beside each other where there is room."""
    titles = list(found)
    for row in range(0, len(titles), 2):  # row by row: on a telephone they keep their order
        for column, title in zip(st.columns(2), titles[row : row + 2], strict=False):
            figure = found[title]
            # At the bottom of the picture: on a telephone a long legend would run into the axis.
            figure.update_layout(legend={"yref": "container", "y": 0, "yanchor": "bottom"})
            column.plotly_chart(figure, theme=None, key=f"{key}-{title}", config=PLOT, alt=title)


def unavailable(targets: Iterable[Target]) -> None:
    """The targets that cannot be used, each with the reason; nothing if all can."""
    if told := page.unavailable_html(targets):
        with st.expander("Other models"):
            st.html(told)


def age(since: float) -> str:
    """How long ago a moment (seconds since 1970) was, in words."""
    seconds = max(0.0, wall_clock() - since)
    if seconds < 90:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 5400 else f"{seconds / 3600:.0f} h ago"
