"""What each folder of k8s/ renders to, asked of kubectl once."""

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
FOLDERS = ("base", *sorted(f"overlays/{each.name}" for each in (FOLDER / "overlays").iterdir()))
Render = Callable[[str], list[Object]]


@pytest.fixture(scope="session")
def render() -> Render:
    """What a folder of k8s/ renders to."""

    @cache
    def rendered(folder: str) -> list[Object]:
        return kustomized(FOLDER / folder)

    return rendered


@pytest.fixture(params=FOLDERS)
def objects(request: pytest.FixtureRequest, render: Render) -> list[Object]:
    """What base and each overlay renders to, in turn."""
    return render(request.param)


def kustomized(folder: Path) -> list[Object]:
    """The objects of a folder; kubectl's own words where it refuses."""
    if not shutil.which("kubectl"):
        missing("kubectl")
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # such as a field that is deprecated
    return [each for each in yaml.safe_load_all(done.stdout) if each]
