"""The model that this machine uses by default: SPACEPORT_MODEL, or what `python -m backends use` stored."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "SPACEPORT_MODEL"
PACKAGED_TITLE = "SmolLM2 135M, tiny, on this machine"


def chosen_model() -> str | None:
    """Return the name, path or hf: address of the model in use, or None for the packaged one."""
    if model := os.environ.get(VARIABLE, "").strip():
        return model
    try:
        return choice_file().read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def choose_model(model: str | None) -> None:
    """Store the model for this user; None goes back to the packaged one."""
    path = choice_file()
    if model is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{model}\n", encoding="utf-8")


def model_title() -> str:
    """What a page calls the model in use."""
    model = chosen_model()
    return f"{Path(model).stem if model.endswith('.gguf') else model}, on this machine" if model else PACKAGED_TITLE


def choice_file() -> Path:
    """The file with the user's choice."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "spaceport" / "model"
