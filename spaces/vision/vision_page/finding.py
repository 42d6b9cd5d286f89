"""What one classifier has found so far, and its HTML."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape

from backends.vision.types import Label
from ui.html import progress_html
from vision_page import strings
from vision_page.column import column_html


@dataclass(frozen=True, slots=True)
class Finding:
    """`step` is what the classifier does now, `seconds` how long the labels took."""

    title: str
    step: str = ""
    progress: float | None = None
    labels: tuple[Label, ...] = ()
    seconds: float | None = None
    heat_map: bytes | None = None
    error: str = ""

    @property
    def html(self) -> str:
        """The column of the classifier."""
        parts = []
        if self.labels:
            items = "".join(map(_bar, self.labels))
            parts.append(f'<ol aria-label="{escape(strings.PROBABILITIES)}">{items}</ol>')
        if self.heat_map:
            parts.append(_map(self.heat_map, self.labels[0].name))
        if self.step:
            parts.append(progress_html(self.step, self.progress))
        return column_html(self.title, self.seconds, self.error, parts)


def _bar(label: Label) -> str:
    name, share = escape(label.name), strings.percent_text(label.probability)
    bar = f'<div class="sp-bar" aria-hidden="true"><i style="width:{label.probability:.1%}"></i></div>'
    return f"<li><div><span>{name}</span><span>{share}</span></div>{bar}</li>"


def _map(png: bytes, label: str) -> str:
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    caption = escape(strings.MAP_CAPTION.format(label=label))
    picture = f'<img src="{source}" alt="{escape(strings.map_alt(label))}">'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"
