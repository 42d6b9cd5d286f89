"""Builds the images with the Docker engine, and reports their sizes."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from backends import SpaceportError
from backends.settings import require_package
from containers.references import find_references, with_digests

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent
BASE = "python:3.11-slim-bookworm"
BASE_MB = 130  # the size on Docker Hub; a machine without a registry builds a larger stand-in
MB = 1_000_000
# Build arguments for the stages that download packages; pip reads variables of these names.
BUILD_ARGUMENTS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
STACK = ("inference", "gateway", "demo")  # what compose.yaml starts
NAMES = (*STACK, "edge", "vision")


class ContainerError(SpaceportError):
    """The Docker engine or an image failed."""


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Sizes in megabytes of an image and of its base image on this machine, or None for an image FROM scratch."""

    image: float
    base: float | None

    @property
    def on_official_base(self) -> float:
        """The size on top of the base image from Docker Hub."""
        return self.image if self.base is None else self.image - self.base + BASE_MB

    def __str__(self) -> str:
        if self.base is None:
            return f"{self.image:.0f} MB, on no base image"
        local = f"{self.image:.0f} MB here, where the base has {self.base:.0f} MB"
        return f"{self.on_official_base:.0f} MB ({self.image - self.base:.0f} MB over {BASE}; {local})"


def docker_client() -> Any:
    """Return a client of the Docker engine that DOCKER_HOST or the current context names."""
    require_package("docker", extra="containers")
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=600)
        client.ping()
    except DockerException as error:
        raise ContainerError(
            f"The Docker engine does not answer ({error}).", "Start it, or set DOCKER_HOST."
        ) from error
    return client


def build(
    client: Any,
    name: str,
    tag: str,
    *,
    trust: Path | None = None,
    extra: Path | None = None,
    local_base: bool = False,
) -> Iterator[str]:
    """Build the image `name` and yield the engine's output; raises `ContainerError` if the build fails.

    `trust` is a file of CA certificates for downloads during the build. The content of the folder `extra`, such as
    embeddings/, is added to the build context. `local_base` builds on the image that this machine has under the tag of
    the base image, whatever its digest.
    """
    from docker.errors import APIError

    arguments = {name: value for name in BUILD_ARGUMENTS if (value := os.environ.get(name)) and "file:" not in value}
    with build_context(trust, extra, local_base=local_base) as archive:
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
                yield from _output(line, name)
        except APIError as error:
            raise ContainerError(
                f"The build of {name} failed ({error.explanation or error}).", "Fix what the message names."
            ) from error


def build_context(trust: Path | None = None, extra: Path | None = None, *, local_base: bool = False) -> IO[bytes]:
    """Return the build context as a tar archive: the files that .dockerignore allows, `trust` and `extra`.

    With `local_base`, the Dockerfiles name their base images without digests.
    """
    from docker.utils.build import create_archive, exclude_paths

    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.strip()[:1] not in ("", "#")]
    # The engine would take a file that comes twice from its cache.
    files = [each for each in exclude_paths(str(ROOT), patterns) if not (extra and (extra / each).is_file())]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.glob("containers/*/Dockerfile*")}
    if local_base:
        texts = {path: with_digests(text, {}) for path, text in texts.items()}
    if trust:
        texts["build-ca.pem"] = trust.read_text()
    archive: IO[bytes] = create_archive(str(ROOT), sorted(files), tempfile.TemporaryFile(), extra_files=texts.items())  # noqa: SIM115
    if extra:
        with tarfile.open(fileobj=archive, mode="a") as tar:
            for path in sorted(extra.iterdir()):
                tar.add(path, arcname=path.name)
        archive.seek(0)
    return archive


def _output(line: Mapping[str, Any], name: str) -> Iterator[str]:
    if "error" in line:
        raise ContainerError(f"The build of {name} failed: {str(line['error']).strip()}", "See the output above.")
    if text := str(line.get("stream", "")).strip():
        yield text


def image_size(client: Any, tag: str) -> ImageSize:
    """Return the sizes of an image and its base; both count the layers that they share."""
    image, base = client.images.get(tag), _base_image(client)
    layers, below = (each.attrs["RootFS"]["Layers"] for each in (image, base))
    has_base = layers[: len(below)] == below
    return ImageSize(image.attrs["Size"] / MB, base.attrs["Size"] / MB if has_base else None)


def _base_image(client: Any) -> Any:
    """Return the base image on this machine: the one that the Dockerfiles pin, or else that of its tag."""
    from docker.errors import ImageNotFound

    (pinned,) = {str(each) for each in find_references(FOLDER / "inference" / "Dockerfile") if each.image == BASE}
    try:
        return client.images.get(pinned)
    except ImageNotFound:
        return client.images.get(BASE)


def image_title(client: Any, tag: str) -> str:
    """Return the title label of an image; raises `ContainerError` if the image doesn't exist."""
    from docker.errors import ImageNotFound

    try:
        labels = client.images.get(tag).attrs["Config"].get("Labels") or {}
    except ImageNotFound as error:
        raise ContainerError(f"There is no image {tag}.", "Build it: python -m containers build.") from error
    return str(labels.get("org.opencontainers.image.title", ""))


def version() -> str:
    """Return the project's version."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def revision() -> str:
    """Return the current commit, or an empty string outside a repository."""
    try:
        git = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return ""
    return git.stdout.strip()


def trusted_certificates() -> Path | None:
    """Return this machine's file of CA certificates, if it has one."""
    import ssl

    file = ssl.get_default_verify_paths().cafile
    return Path(file) if file and sys.platform != "win32" else None
