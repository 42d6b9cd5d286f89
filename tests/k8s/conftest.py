"""Fixtures with the rendered manifests of each folder in k8s/; kubectl renders a folder once."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, missing
from tests.k8s.objects import Object

FOLDER = ROOT / "k8s"
FOLDERS = ("base", *sorted(f"overlays/{path.name}" for path in (FOLDER / "overlays").iterdir()))
Render = Callable[[str], list[Object]]


@pytest.fixture(scope="session")
def render() -> Render:
    """A function that renders a folder in k8s/."""

    @cache
    def cached(folder: str) -> list[Object]:
        return kustomize(FOLDER / folder)

    return cached


@pytest.fixture(params=FOLDERS)
def objects(request: pytest.FixtureRequest, render: Render) -> list[Object]:
    """The rendered objects of base and of each overlay, in turn."""
    return render(request.param)


def kustomize(folder: Path) -> list[Object]:
    """Render a folder with kubectl; fails with kubectl's message."""
    if not shutil.which("kubectl"):
        missing("kubectl")
    result = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert not result.stderr, result.stderr  # a warning, such as a deprecated field
    return [item for item in yaml.load_all(result.stdout, yaml.CSafeLoader) if item]  # a tenth of the time
