"""Images by digest: what `python -m containers pin` writes, with a real Docker engine and a real registry."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from containers import pins
from containers.images import ContainerError
from containers.references import FILES, find_references, with_digests
from tests.conftest import ROOT

DIGEST = "sha256:" + "1a" * 32


# The references in the project's files


def test_every_image_in_the_projects_files_is_found() -> None:
    """Not pinned are stages of a Dockerfile and the project's own images, whose digests come with a release."""
    found = {(each.file, each.image) for path in pins.files_with_images(ROOT) for each in find_references(path)}
    for path in {path for pattern in FILES for path in ROOT.glob(pattern)}:
        lines = re.findall(r"^(?:FROM|[ -]*(?:image|container|TRIVY):) +(\S+)", path.read_text(), re.MULTILINE)
        for image in lines:
            not_pinned = "spaceport-" in image or image in (
                "packages",
                "code",
                "scratch",
                "[inference,",
            )  # the last: a matrix
            assert not_pinned or (path, image.partition("@")[0]) in found, f"{path}: {image}"
    assert len({image for _, image in found}) >= 9


def test_a_digest_is_written_behind_each_tag_and_removed_again() -> None:
    text = "FROM python:3.11 AS code\n  image: a/b:1.0  # why\n  image: ${R:-}spaceport-demo:1\n- image: python:3.11\n"
    text += 'image = "a/b:1.0"  # in TOML\n'
    pinned = with_digests(text, {"python:3.11": DIGEST, "a/b:1.0": DIGEST})
    assert pinned == text.replace("3.11", f"3.11@{DIGEST}").replace("1.0", f"1.0@{DIGEST}")
    assert with_digests(pinned, {}) == text


# A registry


def push(engine: Any, image: str, content: str) -> str:
    """Push an image with one file under a tag, delete it from the engine, and return its digest."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo(content)
        tar.addfile(info, io.BytesIO())
    repository, _, tag = image.rpartition(":")
    engine.api.import_image_from_data(buffer.getvalue(), repository, tag)
    lines = list(engine.images.push(repository, tag, stream=True, decode=True))
    engine.images.remove(image, force=True)
    return str(next(line["aux"]["Digest"] for line in lines if "aux" in line))


@pytest.fixture
def root(tmp_path: Path, registry: str) -> Path:
    """A repository whose files name the image `base:1.0` of the registry."""
    files = {
        "containers/app/Dockerfile": f"FROM {registry}/base:1.0 AS code\nFROM code\nLABEL a=b\n",
        "containers/compose.yaml": f"services: {{}}\nx:\n  image: {registry}/base:1.0  # the same\n",
        "k8s/base/app/deployment.yaml": f"- name: app\n  image: {registry}/base:1.0\n- image: spaceport-demo\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_pinned_image_stays_the_same_when_its_tag_moves(engine: Any, registry: str, root: Path) -> None:
    image = f"{registry}/base:1.0"
    first = push(engine, image, "first")
    assert len(pins.unpinned(root)) == 3
    assert pins.pin(engine, root) == {image: first}
    assert pins.unpinned(root) == []
    assert (root / "containers/app/Dockerfile").read_text().startswith(f"FROM {image}@{first} AS code\nFROM code\n")
    assert "- image: spaceport-demo\n" in (root / "k8s/base/app/deployment.yaml").read_text()

    second = push(engine, image, "second")
    assert second != first
    assert files_in(engine, root) == {"first"}
    assert engine.images.get(f"{image}@{first}")  # image_size asks for the base image by this name
    assert pins.pin(engine, root) == {image: second}
    assert files_in(engine, root) == {"second"}


def files_in(engine: Any, root: Path) -> set[str]:
    """Build the Dockerfile and return the names of the files in the image."""
    built, _ = engine.images.build(path=str(root / "containers/app"), rm=True)
    container = engine.containers.create(built.id, command=["none"])
    try:
        with tarfile.open(fileobj=io.BytesIO(b"".join(container.export()))) as tar:
            return {name for name in tar.getnames() if name in ("first", "second")}
    finally:
        container.remove()
        engine.images.remove(built.id, force=True)


def test_nothing_is_written_if_the_registry_lacks_an_image(engine: Any, registry: str, root: Path) -> None:
    push(engine, f"{registry}/base:1.0", "first")
    (root / "containers/app/Dockerfile").write_text(f"FROM {registry}/base:2.0\n")
    before = {path: path.read_text() for path in pins.files_with_images(root)}
    with pytest.raises(ContainerError, match=r"There is no digest for .*base:2\.0"):
        pins.pin(engine, root)
    assert {path: path.read_text() for path in before} == before
