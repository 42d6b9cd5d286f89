"""A model's files on their way to S3: as they are or as one archive, named by what they hold: none is sent twice."""

from __future__ import annotations

import functools
import hashlib
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends import NotConfigured
from cloud.calls import Call

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of this machine and its key in the bucket."""

    file: Path
    key: str
    sha256: str


def calls(model: str, bucket: str, name: str, *, archive: bool) -> list[Call]:
    """The uploads that `model` needs; none where it is in S3 already, or in the image."""
    return [
        Call("s3", "PutObject", put(bucket, upload), f"{upload.file.name}, {upload.file.stat().st_size / 1e6:.1f} MB")
        for upload in uploads(model, name, archive=archive)
    ]


def put(bucket: str, upload: Upload) -> dict[str, Any]:
    """An upload as S3's own call; the checksum goes along, so that what is there can be compared."""
    return {"Bucket": bucket, "Key": upload.key, "Metadata": {"sha256": upload.sha256}}


def uploads(model: str, name: str, *, archive: bool) -> list[Upload]:
    """The files to send; with `archive` one tar.gz of them, which is made now."""
    if not model or model.startswith("s3://"):
        return []
    path = Path(model)
    files = list(_files(path))
    prefix = f"{name}/{_digest(tuple(files))}"
    if archive:
        packed = _packed(tuple(files))
        return [Upload(packed, f"{prefix}/model.tar.gz", _sha256(packed))]
    return [Upload(file, f"{prefix}/{inside}", _sha256(file)) for file, inside in files]


def location(model: str, bucket: str, name: str, *, archive: bool) -> tuple[str, bool]:
    """Where SageMaker finds the model, and whether it is one archive."""
    if model.startswith("s3://"):
        return (model, True) if model.endswith(".tar.gz") else (model.rstrip("/") + "/", False)
    prefix = f"s3://{bucket}/{name}/{_digest(tuple(_files(Path(model))))}/"
    return (f"{prefix}model.tar.gz", True) if archive else (prefix, False)


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """Each file with its path inside the model."""
    if path.is_file():
        yield path, path.name
        return
    found = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else []
    if not found:
        raise NotConfigured(f"There is no model at {path}.", "Name a file, a folder with files, or s3://….")
    for file in found:
        yield file, file.relative_to(path).as_posix()


def _digest(files: tuple[tuple[Path, str], ...]) -> str:
    told = "\n".join(f"{inside} {_sha256(file)}" for file, inside in files)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _sha256(file: Path) -> str:
    known = file.stat()
    return _hashed(file, known.st_mtime_ns, known.st_size)


@functools.lru_cache(maxsize=1024)
def _hashed(file: Path, changed: int, size: int) -> str:
    """Gigabytes are read once, as long as the file stays as it was."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@functools.lru_cache(maxsize=8)
def _packed(files: tuple[tuple[Path, str], ...]) -> Path:
    """One archive, byte for byte the same each time: without times, owners and the archive's own name."""
    import gzip

    target = Path(tempfile.mkdtemp(prefix="spaceport-model-")) / "model.tar.gz"
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for file, inside in files:
            told = archive.gettarinfo(file, inside)
            told.mtime, told.uid, told.gid, told.uname, told.gname = 0, 0, 0, "", ""
            with file.open("rb") as stream:
                archive.addfile(told, stream)
    return target
