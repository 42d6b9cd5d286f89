"""The GitHub workflows are valid and secure: pinned actions, few rights, and no secret where foreign code runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from containers import images
from containers.locks import LOCKS
from tests.conftest import ROOT

FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
DEPENDABOT = FOLDER / "dependabot.yml"
BIN = Path(sys.executable).parent
# The jobs that may do more than read the repository.
RIGHTS = {
    "containers/push": {"packages": "write"},
    "deliver/images": {"contents": "read", "packages": "write"},
    **{
        f"publish/{job}": {"contents": "read", "id-token": "write"}  # a trusted publisher of the Hub
        for job in ("main", "preview", "old-previews")
    },
}
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def load(path: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)  # keeps `on`, a boolean in YAML 1.1
    return workflow


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.get("steps", [])
    return found


@pytest.mark.parametrize(
    ("command", "files"),
    [
        (["check-jsonschema", "--builtin-schema", "vendor.github-workflows"], WORKFLOWS),
        (["check-jsonschema", "--builtin-schema", "vendor.dependabot"], [DEPENDABOT]),
        (["zizmor", "--offline", "--quiet"], [FOLDER]),
    ],
    ids=["workflows", "dependabot", "zizmor"],
)
def test_workflows_pass_linters(command: list[str], files: list[Path]) -> None:
    result = subprocess.run([BIN / command[0], *command[1:], *files], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["make install", "publish_space.py", ".ci/run"])
def test_programs_in_workflows_exist(name: str) -> None:
    assert any(name in path.read_text() for path in WORKFLOWS)
    if name.startswith("make "):
        assert f"\n{name.split()[1]}:" in (ROOT / "Makefile").read_text()
    else:
        assert (ROOT / name).is_file() or (ROOT / "scripts" / name).is_file()


# Actions and rights


@each_workflow
def test_actions_are_pinned_to_the_commit_of_a_version(path: Path) -> None:
    for action, pin in re.findall(r"uses: ([^\s@]+)(.*)", path.read_text()):
        if not action.startswith("$/"):  # in this repository
            assert re.fullmatch(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), action


@each_workflow
def test_a_job_has_no_right_that_it_does_not_need(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job.get("permissions") == RIGHTS.get(f"{path.stem}/{name}"), name


# Secrets


def secret_places(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield where a part of a workflow reads a secret or the workflow's token."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from secret_places(each, (*place, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from secret_places(each, (*place, str(index)))
    elif re.search(r"\bsecrets\b|github\.token", str(value)):
        yield place


@each_workflow
def test_a_secret_is_visible_only_to_the_step_that_uses_it(path: Path) -> None:
    for place in secret_places(load(path)):
        in_a_step = place[0] == "jobs" and place[2] == "steps" and place[4] in ("env", "with")
        passed_on = place[0] == "jobs" and place[2] == "secrets"
        assert in_a_step or passed_on, " → ".join(place)


@each_workflow
def test_a_pull_request_reaches_no_secret_and_no_right_to_write(path: Path) -> None:
    workflow = load(path)
    assert "pull_request_target" not in workflow["on"]
    if "pull_request" not in workflow["on"]:
        return
    for name, job in workflow["jobs"].items():
        if re.match(r"github\.event_name == 'push' &&", job.get("if", "")):
            continue
        assert list(secret_places(job)) == [], name
        assert "write" not in str(job.get("permissions")), name


def test_the_token_of_the_hub_is_only_in_steps_that_publish() -> None:
    with_token = [
        (path.stem, step)
        for path in WORKFLOWS
        for job in load(path)["jobs"].values()
        for step in steps(job)
        if "HF_TOKEN" in str(step)
    ]
    assert len(with_token) == 4
    for name, step in with_token:
        assert name == "publish"
        assert step["run"].startswith(".venv/bin/python scripts/publish_space.py ")


def test_no_code_of_a_pull_request_runs_where_its_preview_is_published() -> None:
    preview = steps(load(FOLDER / "workflows" / "publish.yml")["jobs"]["preview"])
    fetched = next(index for index, step in enumerate(preview) if "refs/pull/" in str(step))
    assert preview[fetched]["with"]["path"] == "pull-request"
    for step in preview[fetched + 1 :]:
        assert "working-directory" not in step
        commands = shlex.split(step["run"])
        assert commands[0] in ("git", ".venv/bin/python")
        assert "--root" not in commands or "--no-try" in commands


def test_the_job_that_pushes_images_runs_nothing_but_docker() -> None:
    for step in steps(load(FOLDER / "workflows" / "containers.yml")["jobs"]["push"]):
        assert "uses" in step or not re.search(r"python|pip|\bnpm\b|curl|checkout", step["run"])


def test_every_image_is_built_checked_and_pushed() -> None:
    jobs = load(FOLDER / "workflows" / "containers.yml")["jobs"]
    for name in ("build", "push"):
        assert set(jobs[name]["strategy"]["matrix"]["image"]) == set(images.NAMES)


# Updates


def test_the_audit_reads_every_lock() -> None:
    commands = [
        shlex.split(step["run"])
        for step in steps(load(FOLDER / "workflows" / "audit.yml")["jobs"]["packages"])
        if "pip-audit -" in step.get("run", "")
    ]
    files = {word for command in commands for word in command if word.endswith(".txt")}
    assert files == {*(lock.file for lock in LOCKS), "models.txt", "constraints.txt"}
    for program, *options in commands:
        # A dry run reads the files and asks no server.
        command = [BIN / Path(program).name, "--dry-run", "--progress-spinner", "off", *options]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert "would have audited" in result.stderr


def test_dependabot_updates_packages_images_and_actions_together_once_a_week() -> None:
    updates = {update["package-ecosystem"]: update for update in load(DEPENDABOT)["updates"]}
    assert updates.keys() == {"pip", "docker", "docker-compose", "github-actions"}
    for name, update in updates.items():
        assert update["schedule"] == {"interval": "weekly"}, name
        assert [group["patterns"] for group in update["groups"].values()] == [["*"]], name
    folders = {f"/{Path(lock.file).parent.as_posix()}" for lock in LOCKS}
    assert {"/", *folders} == set(updates["pip"]["directories"])
    dockerfiles = {
        f"/{path.parent.relative_to(ROOT)}"
        for part in ("containers", "spaces")
        for path in ROOT.glob(f"{part}/*/Dockerfile*")
    }
    manifests = {
        f"/{path.parent.relative_to(ROOT)}"
        for path in ROOT.glob("k8s/**/*.yaml")
        if re.search(r"^ *image: \S+:", path.read_text(), re.MULTILINE)
    }
    assert dockerfiles | manifests == set(updates["docker"]["directories"])
