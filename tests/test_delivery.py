"""From commit to canary: what the delivery workflow calls does what it says, and agrees with the manifests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.compare.conftest import models
from tests.compare.servers import Models
from tests.conftest import ROOT, missing
from tests.k8s.conftest import kustomize

__all__ = ["models"]  # fixtures
SCRIPTS = ROOT / "scripts"
DELIVER = (ROOT / ".github" / "workflows" / "deliver.yml").read_text()
CANARY = ROOT / "k8s" / "overlays" / "canary"


def python(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


# Rendering


@pytest.mark.parametrize("folder", ["k8s/overlays/staging", "k8s/overlays/canary", "k8s/overlays/canary/release"])
def test_a_release_is_rendered_with_its_images_and_nothing_else(folder: str) -> None:
    before = kustomize(ROOT / folder)
    done = python("render_release.py", folder, "--tag", "4f2a", "--registry", "ghcr.io/team/")
    assert done.returncode == 0, done.stderr
    text = done.stdout
    for image in ("spaceport-inference", "spaceport-demo"):
        text = text.replace(f"ghcr.io/team/{image}:4f2a", image)
    ours = list(yaml.safe_load_all(text))
    assert "ghcr.io" not in text
    assert len(ours) == len(before)
    assert [each["metadata"]["name"] for each in ours] == [each["metadata"]["name"] for each in before]


def test_a_release_wants_a_tag_that_stays_and_a_folder() -> None:
    if not shutil.which("kubectl"):
        missing("kubectl")
    done = python("render_release.py", "k8s/base", "--tag", "latest")
    assert (done.returncode, "cannot be rolled back to" in done.stderr) == (2, True)
    done = python("render_release.py", "k8s/nothing", "--tag", "1")
    assert (done.returncode, "k8s/nothing cannot be rendered" in done.stderr) == (1, True)


# Judging


@pytest.mark.parametrize(("canary", "status"), [("slow", 1), ("refuses", 1), ("steady", 0)])
def test_a_canary_is_measured_until_the_judge_knows(canary: str, status: int, models: Models, tmp_path: Path) -> None:
    entry = '[{0}]\nkind = "openai"\nurl = "{1}"\nmodel = "{2}"\n'
    # A stable version that is slow beside a fast canary can be told apart in a noisy minute too.
    stable = "slow" if canary == "steady" else "steady"
    catalog = tmp_path / "releases.toml"
    catalog.write_text(entry.format("stable", models.url, stable) + entry.format("canary", models.url, canary))
    done = python("judge_canary.py", "--catalog", catalog, "--out", tmp_path / "out", "--sizes", "4,60")
    assert done.returncode == status, done.stdout + done.stderr
    # Four requests say nothing, unless all of them fail.
    assert done.stdout.count("canary: ") == (1 if canary == "refuses" else 2)
    assert (tmp_path / "out" / "60.jsonl").is_file() == (canary != "refuses")


def test_a_catalogue_without_them_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    done = python("judge_canary.py", "--catalog", tmp_path / "empty.toml", "--out", tmp_path / "out")
    assert done.returncode == 65


# What agrees


def test_the_catalogue_of_releases_names_services_that_are_there() -> None:
    services = {each["metadata"]["name"]: each for each in kustomize(CANARY) if each["kind"] == "Service"}
    entries = tomllib.loads((ROOT / "k8s" / "releases.toml").read_text())
    assert set(entries) == {"stable", "canary"}
    for name, entry in entries.items():
        service = services[entry["service"]]
        assert entry["namespace"] == service["metadata"]["namespace"]
        assert entry["port"] in [port["port"] for port in service["spec"]["ports"]]
        assert service["spec"]["selector"]["track"] == name


def test_the_share_goes_to_the_canary() -> None:
    route = next(each for each in kustomize(CANARY) if each["kind"] == "HTTPRoute")
    names = [each["name"] for each in route["spec"]["rules"][0]["backendRefs"]]
    assert names == ["inference-stable", "inference-canary"]  # canary_share.sh sets them by their place
    for share in ("", "x", "101", "-1", "1.5"):
        done = subprocess.run([SCRIPTS / "canary_share.sh", share], capture_output=True, text=True)
        assert done.returncode, share


def test_what_the_workflow_names_is_there() -> None:
    words = [word.strip('"') for word in DELIVER.split()]
    paths = {word for word in words if word.startswith(("k8s/", "scripts/"))}
    assert {"k8s/overlays/staging", "k8s/releases.toml", "scripts/measure_canary.py"} <= paths
    for path in paths:
        assert (ROOT / path).exists(), path
    jobs = yaml.safe_load(DELIVER)["jobs"]
    assert [jobs[name]["needs"] for name in ("images", "staging", "canary", "production")] == [
        "check", "images", "staging", "canary"
    ]  # fmt: skip
