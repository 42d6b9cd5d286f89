"""The scripts of the delivery workflow, and their agreement with the manifests."""

from __future__ import annotations

import os
import shlex
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
ACTION = (ROOT / ".github" / "actions" / "cluster" / "action.yml").read_text()
CANARY = ROOT / "k8s" / "overlays" / "canary"


def run_script(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


# Rendering


@pytest.mark.parametrize("folder", ["k8s/overlays/staging", "k8s/overlays/canary", "k8s/overlays/canary/release"])
def test_render_release_changes_only_the_images(folder: str) -> None:
    base = kustomize(ROOT / folder)
    result = run_script("render_release.py", folder, "--tag", "4f2a", "--registry", "ghcr.io/team/")
    assert result.returncode == 0, result.stderr
    text = result.stdout
    for image in ("spaceport-inference", "spaceport-demo"):
        text = text.replace(f"ghcr.io/team/{image}:4f2a", image)
    release = list(yaml.safe_load_all(text))
    assert "ghcr.io" not in text
    assert len(release) == len(base)
    assert [item["metadata"]["name"] for item in release] == [item["metadata"]["name"] for item in base]


def test_render_release_rejects_the_tag_latest_and_a_missing_folder() -> None:
    if not shutil.which("kubectl"):
        missing("kubectl")
    result = run_script("render_release.py", "k8s/base", "--tag", "latest")
    assert (result.returncode, "cannot be rolled back to" in result.stderr) == (2, True)
    result = run_script("render_release.py", "k8s/nothing", "--tag", "1")
    assert (result.returncode, "k8s/nothing cannot be rendered" in result.stderr) == (1, True)


# The canary


@pytest.mark.parametrize(("canary", "status"), [("slow", 1), ("refuses", 1), ("steady", 0)])
def test_canary_is_measured_until_there_is_a_decision(canary: str, status: int, models: Models, tmp_path: Path) -> None:
    entry = '[{0}]\nkind = "openai"\nurl = "{1}"\nmodel = "{2}"\n'
    # A slow stable version and a fast canary can be distinguished on a busy machine too.
    stable = "slow" if canary == "steady" else "steady"
    catalog = tmp_path / "releases.toml"
    catalog.write_text(entry.format("stable", models.url, stable) + entry.format("canary", models.url, canary))
    result = run_script("measure_canary.py", "--catalog", catalog, "--out", tmp_path / "out", "--sizes", "4,60")
    assert result.returncode == status, result.stdout + result.stderr
    # Four requests are too few for a decision, unless all of them fail.
    assert result.stdout.count("canary: ") == (1 if canary == "refuses" else 2)
    assert (tmp_path / "out" / "60.jsonl").is_file() == (canary != "refuses")


def test_catalogue_without_the_releases_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    result = run_script("measure_canary.py", "--catalog", tmp_path / "empty.toml", "--out", tmp_path / "out")
    assert result.returncode == 65


@pytest.mark.parametrize("questions", ["", "k8s/questions.jsonl"], ids=["times", "questions"])
def test_a_canary_that_is_asked_questions_has_the_package_that_makes_their_prompts(
    questions: str, tmp_path: Path
) -> None:
    """A stand-in for Python makes an environment whose pip prints its arguments."""
    pip = "mkdir -p .venv/bin && printf '#!/bin/sh\\necho \"$@\"\\n' > .venv/bin/pip && chmod +x .venv/bin/pip"
    (tmp_path / "python3").write_text(f"#!/bin/sh\n{pip}\n")
    (tmp_path / "python3").chmod(0o755)
    install = yaml.safe_load(ACTION)["runs"]["steps"][-1]["run"]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "QUESTIONS": questions}
    command = ["bash", "-e", "-c", install]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    commands = [shlex.split(line) for line in result.stdout.splitlines()]
    assert commands[0][-1] == f".[compare,kubernetes{',demo' if questions else ''}]"
    assert [words[-2:] for words in commands[1:]] == ([["-r", "models.txt"]] if questions else [])
    with_questions = [
        name
        for name, job in yaml.safe_load(DELIVER)["jobs"].items()
        if any("questions" in step.get("with", {}) for step in job.get("steps", []))
    ]
    assert with_questions == ["canary"]


# Agreement


def test_catalogue_of_releases_names_existing_services() -> None:
    services = {item["metadata"]["name"]: item for item in kustomize(CANARY) if item["kind"] == "Service"}
    entries = tomllib.loads((ROOT / "k8s" / "releases.toml").read_text())
    assert set(entries) == {"stable", "canary"}
    for name, entry in entries.items():
        service = services[entry["service"]]
        assert entry["namespace"] == service["metadata"]["namespace"]
        assert entry["port"] in [port["port"] for port in service["spec"]["ports"]]
        assert service["spec"]["selector"]["track"] == name


def test_canary_share_sets_the_canarys_weight() -> None:
    route = next(item for item in kustomize(CANARY) if item["kind"] == "HTTPRoute")
    names = [reference["name"] for reference in route["spec"]["rules"][0]["backendRefs"]]
    assert names == ["inference-stable", "inference-canary"]  # canary_share.sh sets weights by position
    for share in ("", "x", "101", "-1", "1.5"):
        result = subprocess.run([SCRIPTS / "canary_share.sh", share], capture_output=True, text=True)
        assert result.returncode, share


def test_paths_in_the_workflow_exist() -> None:
    words = [word.strip('"') for word in DELIVER.split()]
    paths = {word for word in words if word.startswith(("k8s/", "scripts/"))}
    assert {"k8s/overlays/staging", "k8s/releases.toml", "scripts/measure_canary.py"} <= paths
    for path in paths:
        assert (ROOT / path).exists(), path
    jobs = yaml.safe_load(DELIVER)["jobs"]
    assert [jobs[name]["needs"] for name in ("images", "staging", "canary", "production")] == [
        "check", "images", "staging", "canary"
    ]  # fmt: skip
