"""Uploads of a model's files to S3, as they are or as one archive. Keys contain a hash, so no file is sent twice."""

from __future__ import annotations

import functools
import gzip
import hashlib
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends import NotConfigured
from cloud.calls import ApiCall

ModelFiles = tuple[tuple[Path, str], ...]  # each file with its path inside the model


@dataclass(frozen=True, slots=True)
class Upload:
    """A local file and its key in the bucket."""

    file: Path
    key: str
    sha256: str


def upload_calls(model: str, bucket: str, name: str, *, archive: bool) -> list[ApiCall]:
    """Return the uploads of `model`; none if it is in S3 or in the image."""
    return [
        ApiCall("s3", "PutObject", _put_object(bucket, upload), _describe(upload.file))
        for upload in uploads(model, name, archive=archive)
    ]


def uploads(model: str, name: str, *, archive: bool) -> list[Upload]:
    """Return the files to upload; with `archive`, one tar.gz of them, which is created now."""
    if not model or model.startswith("s3://"):
        return []
    files = tuple(_model_files(Path(model)))
    prefix = f"{name}/{_digest(files)}"
    if archive:
        packed = _pack(files)
        return [Upload(packed, f"{prefix}/model.tar.gz", _sha256(packed))]
    return [Upload(file, f"{prefix}/{relative_path}", _sha256(file)) for file, relative_path in files]


def location(model: str, bucket: str, name: str, *, archive: bool) -> tuple[str, bool]:
    """Return the model's S3 URI, and whether it is one archive."""
    if model.startswith("s3://"):
        return (model, True) if model.endswith(".tar.gz") else (model.rstrip("/") + "/", False)
    prefix = f"s3://{bucket}/{name}/{_digest(tuple(_model_files(Path(model))))}/"
    return (f"{prefix}model.tar.gz", True) if archive else (prefix, False)


def _describe(file: Path) -> str:
    return f"{file.name}, {file.stat().st_size / 1e6:.1f} MB"


def _put_object(bucket: str, upload: Upload) -> dict[str, Any]:
    """Return the payload of PutObject, with the checksum that tells whether the object exists already."""
    return {"Bucket": bucket, "Key": upload.key, "Metadata": {"sha256": upload.sha256}}


def _model_files(path: Path) -> Iterator[tuple[Path, str]]:
    if path.is_file():
        yield path, path.name
        return
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else []
    if not files:
        raise NotConfigured(f"There is no model at {path}.", "Name a file, a folder with files, or s3://….")
    for file in files:
        yield file, file.relative_to(path).as_posix()


def _digest(files: ModelFiles) -> str:
    text = "\n".join(f"{relative_path} {_sha256(file)}" for file, relative_path in files)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _sha256(file: Path) -> str:
    stat = file.stat()
    return _hash_file(file, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=1024)
def _hash_file(file: Path, mtime_ns: int, size: int) -> str:
    """Hash a file; the cache key includes time and size, so that gigabytes are read once until they change."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@functools.lru_cache(maxsize=8)
def _pack(files: ModelFiles) -> Path:
    """Create an archive with the same bytes each time: without times, owners and the archive's own name."""
    target = Path(tempfile.mkdtemp(prefix="spaceport-model-")) / "model.tar.gz"
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        for file, relative_path in files:
            entry = archive.gettarinfo(file, relative_path)
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
            with file.open("rb") as stream:
                archive.addfile(entry, stream)
    return target
