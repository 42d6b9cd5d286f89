"""The catalogue's targets for the page's forms: choices by name, and those that can't be used."""

from __future__ import annotations

from collections.abc import Iterable

from backends import Target
from compare.report.words.strings import target_label
from compare_page import strings
from ui import html


def choices(targets: Iterable[Target]) -> list[tuple[str, str]]:
    """Return the choices of a form: a label and the name of each target."""
    return [(target_label(target.name, target.title), target.name) for target in targets]


def unavailable_html(targets: Iterable[Target]) -> str:
    """Return the unavailable targets with reason and remedy, behind a line that counts them; "" without any."""
    return html.folded_unavailable_html(targets, strings.unavailable_summary)
