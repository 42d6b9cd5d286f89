"""What Ollama says of a model: its context window, and whether its template opens the thought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.chat.thoughts.opened_thoughts import opened_tag

if TYPE_CHECKING:
    import ollama


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """The window in tokens, or None; the tag that closes the thought that answers begin in, or ""."""

    window: int | None = None
    opened_tag: str = ""


UNKNOWN = ModelDetails()


def read_details(details: ollama.ShowResponse) -> ModelDetails:
    """Read the server's description of a model."""
    # The server itself splits the answers of a model that it knows to think.
    splits = "thinking" in (details.capabilities or ())
    return ModelDetails(context_length(details), "" if splits else opened_tag(_prompt_end(details.template or "")))


def context_length(details: ollama.ShowResponse) -> int | None:
    """The model's context length in tokens, or None if the server doesn't report it."""
    info = details.modelinfo or {}
    length = next((value for name, value in info.items() if name.endswith(".context_length")), None)
    return length if isinstance(length, int) else None


def _prompt_end(template: str) -> str:
    """The text that stands last before the answer: before `.Response`, or at the end of the template."""
    at = template.rfind(".Response")
    text = template[: max(template.rfind("{{", 0, at), 0)] if at >= 0 else template
    while (text := text.rstrip()).endswith("}}"):  # such as {{ end }}
        text = text[: max(text.rfind("{{"), 0)]
    return text
