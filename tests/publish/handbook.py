"""A Space with a handbook: its names on the Hub, and what a publication of it wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from publishing.hub.plan import MOUNT
from publishing.staging import documents as staged_documents
from tests.publish.fake_hub import Hub

REPO, DATASET = "somebody/handbook", "datasets/somebody/handbook-library"
LARGE_FILES_WARNING = "ignore:Use 'content=:DeprecationWarning"  # from huggingface_hub's upload of large files


def limit_sizes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file of more than 500 bytes too large for a Space: a dataset's go to the Hub's large file storage."""
    monkeypatch.setattr(staged_documents, "MAX_FILE_BYTES", 500)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    hub.large_bytes = 500


def handbook_command(publish: Callable[..., int], library: Path) -> Callable[..., int]:
    """Return what publishes a library as the handbook, with these arguments."""

    def run(*arguments: str) -> int:
        return publish("chat_rag", "--documents", str(library), "--repo", REPO, *arguments)

    return run


def apply(command: Callable[..., int], *arguments: str) -> int:
    return command("--apply", "--public-documents", *arguments)


def writes(hub: Hub) -> list[str]:
    return [each for each in hub.requests if each in ("create", "commit", "volumes", "restart", "large")]


def mounted(hub: Hub) -> dict[str, Any]:
    """Return the volume with the last commit of the handbook's dataset."""
    revision = hub.spaces[DATASET].head.oid
    return {"type": "dataset", "source": "somebody/handbook-library", "mountPath": MOUNT, "revision": revision,
            "readOnly": True}  # fmt: skip
