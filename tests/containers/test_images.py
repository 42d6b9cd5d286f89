"""The images are built for real, and keep what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from containers import images, running
from containers.checks import inference_contract as contract
from containers.checks import promises
from tests.conftest import ROOT

DOCKERFILES = sorted((ROOT / "containers").glob("*/Dockerfile*"))


def test_the_dockerfiles_are_clean() -> None:
    found = [*DOCKERFILES, *ROOT.glob("spaces/*/Dockerfile")]
    done = subprocess.run([Path(sys.executable).with_name("hadolint"), *found], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert {path.name for path in DOCKERFILES} == {"Dockerfile", "Dockerfile.gpu"}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_image_is_numeric_pinned_and_without_a_shell(path: Path) -> None:
    text = path.read_text()
    assert re.search(r"^USER 10001:10001$", text, re.M)
    assert re.search(r'^ENTRYPOINT \["python3?", ', text, re.M)
    assert re.search(r'^HEALTHCHECK .*CMD \["python3?", ', text, re.M)
    assert "org.opencontainers.image.revision" in text
    for base in re.findall(r"^FROM (\S+)", text, re.M):
        assert re.search(r":\S*\d", base) or base in ("packages", "code"), f"{base} is not pinned"
    assert not re.search(r"\bcurl\b|latest|ADD http", text)


def test_the_gpu_image_leaves_torch_to_nvidia() -> None:
    text = (ROOT / "containers/inference/Dockerfile.gpu").read_text()
    assert "FROM nvcr.io/nvidia/pytorch:25.11-py3" in text
    assert "PIP_CONSTRAINT=/etc/pip/constraint.txt" in text
    wanted = required("requirements-gpu.txt")
    extras = extra("inference") | extra("transformers") | extra("embedded")
    assert wanted <= extras
    assert extras - wanted == {line for line in extras if line.startswith(("torch", "xllamacpp"))}


def test_the_image_installs_what_the_extra_says() -> None:
    assert required("requirements.txt") == extra("inference") | extra("embedded") | {project()["dependencies"][0]}


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def extra(name: str) -> set[str]:
    lines = {line for line in project()["optional-dependencies"][name] if not line.startswith("spaceport")}
    return {line.partition(";")[0] for line in lines} | {project()["dependencies"][0]}


def required(name: str) -> set[str]:
    lines = (ROOT / "containers/inference" / name).read_text().splitlines()
    return {line.partition(";")[0] for line in lines if line and not line.startswith("#")}


def test_the_inference_image_keeps_its_promises(engine: Any, inference_image: str) -> None:
    rows = list(contract.check(engine, inference_image, first_token_limit=60))
    assert [row for row in rows if not row.kept] == []
    assert len(rows) == 13


def test_a_broken_promise_is_told(engine: Any) -> None:
    rows = {row.promise: row for row in promises.inspected(engine, images.BASE, 1)}
    assert not rows["at most 1 MB"].kept
    assert not rows["a numeric user"].kept
    assert not rows["a health check without a shell"].kept


def test_a_container_that_ends_tells_its_reason(engine: Any, inference_image: str) -> None:
    wrong = {"SPACEPORT_PARALLEL": "four"}
    with (
        pytest.raises(images.ContainerError, match="ended"),
        running.running(engine, inference_image, environment=wrong),
    ):
        pass
    left = engine.containers.list(all=True, filters={"label": f"{running.LABEL}=check", "status": "exited"})
    assert left == []


def test_a_change_of_code_leaves_the_large_layers_alone(engine: Any, inference_image: str, tmp_path: Path) -> None:
    layers = engine.images.get(inference_image).attrs["RootFS"]["Layers"]
    lines = list(images.build(engine, "inference", inference_image, trust=images.certificates()))
    assert engine.images.get(inference_image).attrs["RootFS"]["Layers"] == layers
    installs = [line for line in lines if "pip" in line and line.startswith("Step")]
    assert installs
    assert all("Using cache" in lines[lines.index(line) + 1] for line in installs)
