"""Builds the images with the Docker engine, and says how large they are."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from backends import SpaceportError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent
BASE = "python:3.11-slim-bookworm"
BASE_MB = 130  # what that image has on Docker Hub; a machine without a registry builds itself a larger one
MB = 1_000_000
# Where the build stages may fetch packages from, as pip itself reads it.
PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
NAMES = ("inference", "demo")


class ContainerError(SpaceportError):
    """What the engine refused or an image lacks, and what to do."""


@dataclass(frozen=True, slots=True)
class Size:
    """Sizes in megabytes: the whole image here, and its base here."""

    image: float
    base: float

    @property
    def real(self) -> float:
        """What it is on the base image that everybody else has."""
        return self.image - self.base + BASE_MB

    def __str__(self) -> str:
        here = f"{self.image:.0f} MB here, where that has {self.base:.0f} MB"
        return f"{self.real:.0f} MB ({self.image - self.base:.0f} MB over {BASE}; {here})"


def engine() -> Any:
    """A client of the Docker engine that DOCKER_HOST or the current context names."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=600)
        client.ping()
    except DockerException as error:
        raise ContainerError(f"No Docker engine answers ({error}).", "Start it, or set DOCKER_HOST.") from error
    return client


def build(client: Any, name: str, tag: str, *, trust: Path | None = None, extra: Path | None = None) -> Iterator[str]:
    """Build the image `name` and give the engine's lines as they come; `ContainerError` if it fails.

    `trust` is a file of certificates that the downloads of the build are to trust, `extra` a folder whose content is
    laid into the context, such as embeddings/.
    """
    from docker.errors import APIError

    arguments = {name: value for name in PASSED_ON if (value := os.environ.get(name)) and "file:" not in value}
    with context(trust, extra) as archive:
        try:
            lines = client.api.build(
                fileobj=archive,
                custom_context=True,
                dockerfile=f"containers/{name}/Dockerfile",
                tag=tag,
                buildargs=arguments | {"VERSION": version(), "REVISION": revision()},
                network_mode=os.environ.get("SPACEPORT_BUILD_NETWORK"),
                rm=True,
                decode=True,
            )
            for line in lines:
                yield from _said(line, name)
        except APIError as error:
            raise ContainerError(
                f"{name} was not built ({error.explanation or error}).", "Mend what it names."
            ) from error


def context(trust: Path | None = None, extra: Path | None = None) -> IO[bytes]:
    """The build context as an archive: what .dockerignore lets in, and what the repository does not hold."""
    from docker.utils.build import create_archive, exclude_paths

    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.strip()[:1] not in ("", "#")]
    files = sorted(exclude_paths(str(ROOT), [*ignored, "!containers/*/Dockerfile*"]))
    added = [("build-ca.pem", trust.read_text())] if trust else []
    archive: IO[bytes] = create_archive(str(ROOT), files, tempfile.TemporaryFile(), extra_files=added)  # noqa: SIM115
    return _with_folder(archive, extra) if extra else archive


def _with_folder(archive: IO[bytes], folder: Path) -> IO[bytes]:
    import tarfile

    with tarfile.open(fileobj=archive, mode="a") as opened:
        opened.add(folder, arcname=".")
    archive.seek(0)
    return archive


def _said(line: Mapping[str, Any], name: str) -> Iterator[str]:
    if "error" in line:
        raise ContainerError(f"{name} was not built: {str(line['error']).strip()}", "Its lines above say where.")
    if text := str(line.get("stream", "")).strip():
        yield text


def size(client: Any, tag: str) -> Size:
    """How large an image is; layers that it shares with its base are counted to both."""
    return Size(client.images.get(tag).attrs["Size"] / MB, client.images.get(BASE).attrs["Size"] / MB)


def title(client: Any, tag: str) -> str:
    """What an image says it is; `ContainerError` if there is none of that name."""
    from docker.errors import ImageNotFound

    try:
        labels = client.images.get(tag).attrs["Config"].get("Labels") or {}
    except ImageNotFound as error:
        raise ContainerError(f"There is no image {tag}.", "Build it: python -m containers build.") from error
    return str(labels.get("org.opencontainers.image.title", ""))


def version() -> str:
    """The project's version."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def revision() -> str:
    """The commit that is checked out, or nothing outside of a repository."""
    try:
        said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.stdout.strip()


def certificates() -> Path | None:
    """The file of certificates that this machine trusts, if it has one."""
    import ssl

    found = ssl.get_default_verify_paths().cafile
    return Path(found) if found and sys.platform != "win32" else None
