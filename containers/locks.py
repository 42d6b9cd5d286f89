"""Writes the locked requirements of the images: each package with one version and the hashes of its wheels."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from containers.images import ROOT, ContainerError


@dataclass(frozen=True, slots=True)
class Lock:
    """A file of locked requirements, the files that it is made from, and packages that the image does without."""

    file: str
    sources: tuple[str, ...]
    excluded: tuple[str, ...] = ()


LOCKS = (
    Lock("containers/inference/requirements-locked.txt", ("containers/inference/requirements.txt",)),
    Lock(
        "containers/edge/requirements-locked.txt",
        ("containers/inference/requirements.txt",),
        excluded=("hf-xet",),  # the Hub's client downloads over HTTP without its own protocol
    ),
    Lock("containers/gateway/requirements-locked.txt", ("containers/gateway/requirements.txt",)),
    Lock(
        "containers/vision/requirements-locked.txt",
        ("containers/vision/requirements.txt",),
        # For onnxruntime's tools; the Hub's client downloads over HTTP without its own protocol.
        excluded=("flatbuffers", "protobuf", "hf-xet"),
    ),
    Lock(
        "containers/demo/requirements-locked.txt",
        (
            "spaces/chat_rag/requirements.txt",
            "spaces/platform_compare/requirements.txt",
            "containers/demo/requirements.txt",
        ),
        # onnxruntime replaces the first three. Chroma imports the Kubernetes client only as a server in a cluster.
        # RapidOCR with opencv would be a fifth of the image.
        excluded=("torch", "sentence-transformers", "onnx", "kubernetes", "rapidocr"),
    ),
    Lock("containers/demo/requirements-export-locked.txt", ("containers/demo/requirements-export.txt",)),
)
HEADER = "# Versions from constraints.txt with the hashes of their wheels; written by make lock, do not edit.\n"
# The Python version of the images. Marker variables are those of Linux; the hashes include every architecture.
PLATFORM = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28")


def write_locks(root: Path = ROOT) -> list[Path]:
    """Write every lock and return their paths; raises `ContainerError` if uv can't resolve one."""
    return [_write_lock(root, lock) for lock in LOCKS]


def _write_lock(root: Path, lock: Lock) -> Path:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as excludes:
        excludes.write("\n".join(lock.excluded))
        excludes.flush()
        command = [
            "uv", "pip", "compile", *lock.sources, "--constraints", "constraints.txt", "--excludes", excludes.name,
            *PLATFORM, "--generate-hashes", "--only-binary", ":all:", "--no-header", "--no-annotate", "--quiet",
        ]  # fmt: skip
        try:
            result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603
        except FileNotFoundError as error:
            raise ContainerError("There is no uv here.", "Run: make lock") from error
        except subprocess.CalledProcessError as error:
            raise ContainerError(
                f"{lock.file} can't be written: {error.stderr.strip()}",
                "Run `make lock`, which updates constraints.txt.",
            ) from error
    path = root / lock.file
    path.write_text(HEADER + result.stdout)
    return path
