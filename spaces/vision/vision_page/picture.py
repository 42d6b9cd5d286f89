"""The field for a picture. It hands on the file as it is: Gradio's own decodes it first, whatever its size."""

from __future__ import annotations

from typing import Any

import gradio as gr


class PictureInput(gr.Image):
    """Gradio's image, whose value is the path of the file that the visitor chose."""

    is_template = True  # its front end is that of the image

    def preprocess(self, payload: Any) -> str | None:
        """Return the path; `backends.vision.pictures` reads the file, and says what is wrong with it."""
        return str(payload.path) if payload and payload.path else None
