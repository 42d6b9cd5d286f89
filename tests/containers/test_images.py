"""The Dockerfiles, and images built from them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from containers import images, package_sizes, sandbox
from containers.checks import edge_contract, gateway_contract, image_checks, inference_contract
from tests.conftest import ROOT
from tests.containers.conftest import TRUST

DOCKERFILES = sorted((ROOT / "containers").glob("*/Dockerfile*"))


def test_dockerfiles_pass_hadolint() -> None:
    files = [*DOCKERFILES, *ROOT.glob("spaces/*/Dockerfile")]
    result = subprocess.run([Path(sys.executable).with_name("hadolint"), *files], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert {path.name for path in DOCKERFILES} == {"Dockerfile", "Dockerfile.gpu"}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_image_has_a_numeric_user_pinned_bases_and_no_shell(path: Path) -> None:
    text = path.read_text()
    assert re.search(r"^USER 10001:10001$", text, re.M)
    assert re.search(r'^ENTRYPOINT \["python3?", ', text, re.M)
    assert re.search(r'^HEALTHCHECK .*CMD \["python3?", ', text, re.M)
    assert "org.opencontainers.image.revision" in text
    for base in re.findall(r"^FROM (\S+)", text, re.M):
        assert re.search(r":\S*\d", base) or base in ("packages", "code", "scratch"), f"{base} is not pinned"
    assert not re.search(r"\bcurl\b|latest|ADD http", text)


def test_gpu_image_keeps_nvidias_torch() -> None:
    text = (ROOT / "containers/inference/Dockerfile.gpu").read_text()
    assert "FROM nvcr.io/nvidia/pytorch:25.11-py3" in text
    assert "PIP_CONSTRAINT=/etc/pip/constraint.txt" in text
    packages = requirements("requirements-gpu.txt")
    extras = extra("inference") | extra("transformers") | extra("embedded")
    assert packages <= extras
    assert extras - packages == {line for line in extras if line.startswith(("torch", "xllamacpp"))}


def test_the_diffusion_image_adds_what_its_extra_has_and_the_base_lacks() -> None:
    text = (ROOT / "containers/diffusion/Dockerfile.gpu").read_text()
    bases = re.findall(r"^FROM (\S+)", text, re.M)
    assert set(bases) == {"nvcr.io/nvidia/pytorch:25.11-py3"}
    assert "PIP_CONSTRAINT=/etc/pip/constraint.txt" in text
    packages, extras = requirements("requirements-gpu.txt", "diffusion"), extra("diffusion") | extra("vision")
    assert packages <= extras
    others = ("torch", "numpy", "pillow", "onnxruntime", "python-multipart")
    assert extras - packages == {line for line in extras if line.startswith(others)}


def test_the_sum_of_what_the_diffusion_image_adds_to_its_base(capsys: pytest.CaptureFixture[str]) -> None:
    file = ROOT / "containers/diffusion/requirements-gpu.txt"
    assert package_sizes.main([str(file), "--without", "torch", "numpy", "pillow"]) == 0
    *lines, total = [line.split() for line in capsys.readouterr().out.splitlines()]
    names = {line[0] for line in lines}
    assert {"diffusers", "transformers", "safetensors", "fastapi"} <= names
    assert names.isdisjoint({"torch", "numpy", "pillow", "sympy", "setuptools", "onnxruntime"})
    assert total[0] == "sum"
    assert 100 < float(total[1]) < 300
    assert float(total[1]) == pytest.approx(sum(float(line[1]) for line in lines), abs=3)


def test_an_image_installs_the_packages_of_its_extra() -> None:
    assert requirements("requirements.txt") == extra("inference") | extra("embedded")
    assert requirements("requirements.txt", "vision") == extra("vision")


def test_the_gateways_image_installs_the_packages_of_its_extras() -> None:
    packages = requirements("requirements.txt", folder="gateway")
    assert packages == extra("gateway") | extra("replicas") | extra("inference") | {project()["dependencies"][0]}


def project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def extra(name: str) -> set[str]:
    lines = {line for line in project()["optional-dependencies"][name] if not line.startswith("spaceport")}
    return {line.partition(";")[0] for line in lines} | {project()["dependencies"][0]}


def requirements(name: str, folder: str = "inference") -> set[str]:
    lines = (ROOT / "containers" / folder / name).read_text().splitlines()
    return {line.partition(";")[0] for line in lines if line and not line.startswith("#")}


def test_inference_image_keeps_its_promises(engine: Any, inference_image: str) -> None:
    results = list(inference_contract.check(engine, inference_image, first_token_limit=60))
    assert [result for result in results if not result.passed] == []
    assert len(results) == 13


def test_edge_image_keeps_the_promises_of_the_inference_image_in_100_mb(engine: Any, edge_image: str) -> None:
    results = list(edge_contract.check(engine, edge_image, first_token_limit=60))
    assert [result for result in results if not result.passed] == []
    assert len(results) == 13


def test_gateway_image_keeps_its_promises(engine: Any, gateway_image: str) -> None:
    results = list(gateway_contract.check(engine, gateway_image))
    assert [result for result in results if not result.passed] == []
    assert len(results) == 12


def test_edge_image_has_no_shell_and_no_model(engine: Any, edge_image: str) -> None:
    config = engine.images.get(edge_image).attrs
    assert len(config["RootFS"]["Layers"]) == 4  # the system, the packages, the code, and the folder for it
    program = "import os, sys; print([each for each in ('/bin/sh', '/usr/bin/apt', '/model') if os.path.exists(each)])"
    output = engine.containers.run(edge_image, ["-c", program], entrypoint=["python"], remove=True)
    assert output.decode() == "[]\n"


def test_a_change_of_code_builds_only_the_layers_of_the_code(engine: Any, edge_image: str, tmp_path: Path) -> None:
    """The labs promise a second build within 30 seconds (docs/labs.md)."""
    layers = engine.images.get(edge_image).attrs["RootFS"]["Layers"]
    (tmp_path / "backends").mkdir()
    changed = (ROOT / "backends/__init__.py").read_text() + f"# {tmp_path.name}\n"
    (tmp_path / "backends/__init__.py").write_text(changed)
    tag, started = f"{edge_image}-changed", time.monotonic()
    list(images.build(engine, "edge", tag, trust=TRUST, extra=tmp_path, local_base=True))
    assert time.monotonic() - started < 30
    again = engine.images.get(tag).attrs["RootFS"]["Layers"]
    engine.images.remove(tag)
    assert again[:-1] == layers[:-1]
    assert again[-1] != layers[-1]


def test_check_reports_a_broken_promise(engine: Any) -> None:
    results = {result.promise: result for result in image_checks.inspect_image(engine, images.BASE, 1)}
    assert not results["at most 1 MB"].passed
    assert not results["a numeric user"].passed
    assert not results["a health check without a shell"].passed


def test_error_has_the_last_log_line_of_the_container(engine: Any, inference_image: str) -> None:
    invalid = {"SPACEPORT_PARALLEL": "four"}
    with (
        pytest.raises(images.ContainerError, match="exited"),
        sandbox.run_container(engine, inference_image, environment=invalid),
    ):
        pass
    containers = engine.containers.list(all=True, filters={"label": f"{sandbox.LABEL}=check", "status": "exited"})
    assert containers == []


def test_second_build_uses_the_cached_layers(engine: Any, inference_image: str, tmp_path: Path) -> None:
    layers = engine.images.get(inference_image).attrs["RootFS"]["Layers"]
    lines = list(images.build(engine, "inference", inference_image, trust=TRUST, local_base=True))
    assert engine.images.get(inference_image).attrs["RootFS"]["Layers"] == layers
    installs = [line for line in lines if "pip" in line and line.startswith("Step")]
    assert installs
    assert all("Using cache" in lines[lines.index(line) + 1] for line in installs)
