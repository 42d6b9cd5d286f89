"""Downloads a model of the table into the Hub's cache, and checks it against the repository's listing."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.errors import NotConfigured
from backends.local_models.fit import LocalModel
from backends.local_models.hub import download_file
from backends.machine.resources import GB
from backends.streams import ProgressCallback

# Files of a model that is split, and files beside the model's own.
_PART = re.compile(r"-\d{5}-of-\d{5}\.gguf$")
_OTHER = re.compile(r"mmproj|imatrix", re.IGNORECASE)
_SEPARATOR = re.compile(r"[-./]")
_CHUNK_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a repository: its name, its bytes, its SHA-256, and the commit that has it."""

    name: str
    size: int
    sha256: str
    commit: str


def cache_folder() -> Path:
    """The folder of the Hub's cache."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def find_downloaded(model: LocalModel) -> Path | None:
    """Return the file of a model in the Hub's cache, or None."""
    from huggingface_hub.file_download import repo_folder_name

    snapshots = cache_folder() / repo_folder_name(repo_id=model.repository, repo_type="model") / "snapshots"
    files = {path.name: path for path in sorted(snapshots.glob("*/*.gguf"))}
    name = select_file(model, files)
    return files[name] if name else None


def select_file(model: LocalModel, names: Iterable[str]) -> str | None:
    """Return the file of the model's quantization, in one part; None if there is none."""
    quantization = model.quantization.lower()
    matches = [name for name in names if name.endswith(".gguf") and quantization in _SEPARATOR.split(name.lower())]
    return min((name for name in matches if not (_PART.search(name) or _OTHER.search(name))), key=len, default=None)


def download(model: LocalModel, report: ProgressCallback | None = None) -> Path:
    """Download a model; blocks, and calls `report(step, progress)`, the progress from 0 to 1.

    A connection that breaks is resumed where it broke. `NotConfigured` if the Hub can't be reached, has no such file,
    the disk is too small, or the file isn't the one of the listing.
    """
    file = _listed_file(model)
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if file.size > free:
        raise NotConfigured(
            f"{model.name} needs {file.size / GB:.1f} GB, and {free / GB:.1f} GB of disk are free.",
            "Make room, choose a smaller model, or set HF_HOME to a folder on another disk.",
        )
    path = download_file(model.repository, file.name, report, revision=file.commit)
    _check(path, file, report)
    return path


def _listed_file(model: LocalModel) -> ModelFile:
    import huggingface_hub

    try:
        info: Any = huggingface_hub.HfApi().model_info(model.repository, files_metadata=True)
    except Exception as error:  # the Hub's client raises its own errors and those of its HTTP library
        raise NotConfigured(
            f"{model.repository} can't be listed on the Hub ({type(error).__name__}).",
            "Check the network. Offline, copy a GGUF file to this machine and set SPACEPORT_MODEL to its path.",
        ) from error
    files = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    name = select_file(model, files)
    if name is None:
        raise NotConfigured(
            f"{model.repository} has no GGUF file with {model.quantization}.", "Choose another model of the table."
        )
    file = files[name]
    return ModelFile(name, file.size or 0, file.lfs.sha256 if file.lfs else "", info.sha)


def _check(path: Path, file: ModelFile, report: ProgressCallback | None) -> None:
    """Compare a file with its listing; a wrong one is deleted."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if report:
                report(f"Checking {path.name}", done / file.size if file.size else None)
    if file.sha256 and digest.hexdigest() != file.sha256:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise NotConfigured(
            f"{path.name} arrived with another checksum than the Hub lists, and was deleted.",
            "Download it again. If it happens twice, something between here and the Hub changes files.",
        )
