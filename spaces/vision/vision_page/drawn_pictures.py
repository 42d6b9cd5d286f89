"""What one model has drawn so far, and its HTML."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape

from backends.diffusion.types import GeneratedPicture
from ui.html import progress_html
from vision_page import strings
from vision_page.column import column_html


@dataclass(frozen=True, slots=True)
class Canvas:
    """`step` is what the model does now, `seconds` how long the pictures took."""

    title: str
    prompt: str
    step: str = ""
    progress: float | None = None
    preview: bytes | None = None
    pictures: tuple[GeneratedPicture, ...] = ()
    seconds: float | None = None
    error: str = ""

    @property
    def html(self) -> str:
        """The column of the model."""
        parts = [progress_html(self.step, self.progress)] if self.step else []
        parts += [_figure(each.data, "png", strings.picture_alt(self.prompt), each.seed) for each in self.pictures]
        if self.preview and not self.pictures:
            parts.append(_figure(self.preview, "jpeg", strings.preview_alt(self.prompt), None))
        return column_html(self.title, self.seconds, self.error, parts, "sp-canvas")


def _figure(data: bytes, kind: str, alt: str, seed: int | None) -> str:
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    caption = f"<figcaption>{escape(strings.seed_text(seed))}</figcaption>" if seed is not None else ""
    style = ' class="sp-preview"' if kind == "jpeg" else ""
    return f'<figure><img{style} src="{source}" alt="{escape(alt)}">{caption}</figure>'
