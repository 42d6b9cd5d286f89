"""Pins every image in the project's files by the digest that its registry has for the tag now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from containers.images import ROOT, ContainerError
from containers.references import Reference, files_with_images, find_references, with_digests


def pin(client: Any, root: Path = ROOT) -> dict[str, str]:
    """Write the digests into the files and return them by image; if one can't be had, nothing is written.

    Of an image for several platforms it's the digest of their list, so it is the same on all of them.
    """
    files = files_with_images(root)
    images = {reference.image for path in files for reference in find_references(path)}
    digests = {image: _fetch_digest(client, image) for image in sorted(images)}
    for path in files:
        text = path.read_text()
        if (pinned := with_digests(text, digests)) != text:
            path.write_text(pinned)
    return digests


def unpinned(root: Path = ROOT) -> list[Reference]:
    """Return the references that have no digest."""
    return [each for path in files_with_images(root) for each in find_references(path) if not each.digest]


def _fetch_digest(client: Any, image: str) -> str:
    from docker.errors import APIError

    try:
        return str(client.images.get_registry_data(image).id)  # the engine asks the registry, with its own login
    except APIError as error:
        raise ContainerError(
            f"There is no digest for {image} ({error.explanation or error}).",
            "Check its name and its tag, and whether the engine reaches the registry.",
        ) from error
