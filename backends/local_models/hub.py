"""Files of the Hub: in its cache on this machine, or downloaded into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backends.errors import NotConfigured
from backends.streams import ProgressCallback

GGUF_REMEDY = "Check the network, the name and the free disk, or set model to a GGUF file on this machine."


def cached_file(repository: str, filename: str) -> Path | None:
    """Return a file of a repository from the cache, or None."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(repository, filename)
    return Path(path) if isinstance(path, str) else None


def list_files(repository: str) -> set[str]:
    """Return the names of a repository's files; `NotConfigured` says why they can't be listed."""
    import huggingface_hub

    try:
        return {sibling.rfilename for sibling in huggingface_hub.HfApi().model_info(repository).siblings or ()}
    except Exception as error:  # the Hub's client raises its own errors and those of its HTTP library
        raise NotConfigured(
            f"{repository} can't be listed on the Hub ({type(error).__name__}).",
            "Check the network and the name, or set model to a folder on this machine.",
        ) from error


def download_file(
    repository: str,
    filename: str,
    report: ProgressCallback | None = None,
    *,
    revision: str | None = None,
    remedy: str = GGUF_REMEDY,
) -> Path:
    """Download one file of a repository into the Hub's cache; `NotConfigured` says why it can't be."""
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    options: dict[str, Any] = {"tqdm_class": _progress_bar(filename, report)} if report else {}
    try:
        return Path(huggingface_hub.hf_hub_download(repository, filename, revision=revision, **options))
    except (LocalEntryNotFoundError, OSError) as error:
        # HfHubHTTPError is an OSError too. Its text may contain a signed URL, so the message has only its class.
        kind = type(error).__name__
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"{kind}, {status}" if isinstance(error, HfHubHTTPError) and status else kind
        raise NotConfigured(f"The model {repository}/{filename} could not be downloaded ({reason}).", remedy) from error


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
