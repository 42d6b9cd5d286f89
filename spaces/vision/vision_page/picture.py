"""The picture field. It passes on the file as it is; Gradio's own would decode it first, whatever its size."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.processing_utils import check_all_files_in_cache


class PictureInput(gr.Image):
    """Gradio's image, whose value is the path of the file that the visitor chose."""

    is_template = True  # its front end is that of the image

    def preprocess(self, payload: Any) -> str | None:
        """Return the path of an uploaded file; raises `gr.Error` for any other path, which an event can name.

        `backends.vision.pictures` reads the file, and says what is wrong with it.
        """
        if not payload or not payload.path:
            return None
        named: Any = {"path": payload.path}
        check_all_files_in_cache(named)  # Gradio itself doesn't check a picture without "meta"
        return str(payload.path)
