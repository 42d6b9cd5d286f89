"""Publishing with the real client to a fake Hub: first publication, changes, conflicts, failures, rollback."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Any, ClassVar

import httpx2
import pytest
from huggingface_hub import HfApi

from backends.hub.client import Hub as HubClient
from publishing.staging import front_matter
from scripts import publish_space
from tests.conftest import ROOT
from tests.helpers.servers import free_port, serving
from tests.publish.conftest import publisher
from tests.publish.fake_hub import TOKEN, Hub, Space

Publish = Callable[..., int]
REPO = "somebody/platform_compare"
SPACE = "platform_compare"


@pytest.fixture(scope="module")
def first_publication() -> Space:
    """A Space after its first publication."""
    with serving(Hub()) as hub:
        assert publisher(hub)(SPACE, "--apply") == 0
        return hub.spaces[REPO]


@pytest.fixture
def published(hub: Hub, first_publication: Space) -> Space:
    """A Space that has the current files."""
    hub.spaces[REPO] = deepcopy(first_publication)
    return hub.spaces[REPO]


def test_the_plan_is_the_default_and_changes_nothing(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(SPACE) == 0
    output = capsys.readouterr().out
    assert "somebody/platform_compare: a new Space" in output
    assert "+ app.py" in output
    assert re.search(r"\+ backends/ \(1\d\d files, \d+\.\d kB\)", output)
    assert "+ backends/types.py" not in output
    assert len(output.splitlines()) < 25
    assert not hub.spaces
    assert set(hub.requests) <= {"whoami", "info"}


def test_a_first_publish(hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(SPACE, "--apply", "--private") == 0
    space = hub.spaces[REPO]
    assert space.private
    assert space.sdk == "gradio"
    files = space.head.files
    assert files["app.py"] == (ROOT / "spaces/platform_compare/app.py").read_bytes()
    assert files["ui/theme.py"] == (ROOT / "spaces/ui/theme.py").read_bytes()
    assert files["backends/backends.toml"] == (ROOT / "backends/backends.toml").read_bytes()
    assert any(place.startswith("results/") for place in files)
    assert files["LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert not [place for place in files if place.startswith(("spaces/", "tests/", "rag/")) or "__pycache__" in place]
    assert len(space.commits) == 2  # the Hub's initial commit, and one of ours
    assert space.head.title.startswith("Publish ")
    output = capsys.readouterr().out
    assert "Successfully built gradio" in output
    assert f"runs {space.head.oid[:8]}" in output


def test_an_up_to_date_space_is_not_written_to(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    before = published.head.oid
    assert publish(SPACE, "--apply") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert published.head.oid == before
    assert hub.requests == ["whoami", "info", "tree"]


def test_changes_and_deletions_are_one_commit(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    files = published.head.files | {"old.py": b"print(1)\n", "app.py": b"old"}
    del files["ui/theme.py"]
    published.commit("by hand", files)
    assert publish(SPACE, "--apply") == 0
    output = capsys.readouterr().out
    for line in ("- old.py (9 B)", "~ app.py", "+ ui/theme.py", "1 to add, 1 to change, 1 to delete"):
        assert line in output
    assert "old.py" not in published.head.files
    assert ".gitattributes" in published.head.files
    assert [commit.title for commit in published.commits][-2] == "by hand"


def test_deleting_a_third_needs_a_confirmation(
    publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    many = {f"notes/{number}.md": b"x" for number in range(len(published.head.files))}
    published.commit("by hand", published.head.files | many)
    before = published.head.oid
    assert publish(SPACE, "--apply") == 1
    assert "would be deleted" in capsys.readouterr().err
    assert published.head.oid == before
    assert publish(SPACE, "--apply", "--yes") == 0
    assert not [place for place in published.head.files if place.startswith("notes/")]


def test_a_concurrent_commit_is_planned_again_and_never_overwritten(
    hub: Hub, publish: Publish, published: Space
) -> None:
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    hub.on_commit = lambda space: space.commit("another client", space.head.files | {"more.py": b"x = 1\n"})
    assert publish(SPACE, "--apply") == 0
    assert [commit.title for commit in published.commits][-2] == "another client"
    assert "more.py" not in published.head.files  # planned again, with the new file in the plan
    assert hub.requests.count("tree") == 2


def test_a_commit_whose_response_was_lost_is_not_repeated(hub: Hub, publish: Publish, published: Space) -> None:
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    count = len(published.commits)
    hub.fail("commit", "after")
    assert publish(SPACE, "--apply") == 0
    assert len(published.commits) == count + 1


def test_a_failed_build_shows_its_error_lines(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    hub.builds = ["BUILDING", "BUILD_ERROR"]
    hub.log = ["Collecting x\n", f"ERROR: No matching distribution found for x {TOKEN}\n", "bye\n"]
    assert publish(SPACE, "--apply") == 1
    error = capsys.readouterr().err
    assert "BUILD_ERROR" in error
    assert "No matching distribution found" in error
    assert TOKEN not in error


def test_a_failure_can_roll_back(hub: Hub, publish: Publish, published: Space) -> None:
    old = published.commit("by hand", published.head.files | {"app.py": b"old", "extra.py": b"1"}).files
    hub.builds = ["BUILDING", "RUNTIME_ERROR"]
    assert publish(SPACE, "--apply", "--on-failure", "rollback") == 1
    assert published.head.files == old
    assert published.head.title.startswith("Back to ")


def test_waiting_needs_the_new_commit_to_run(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    hub.builds = ["BUILDING"]  # it never finishes
    assert publish(SPACE, "--apply", "--timeout", "0.3") == 1
    assert "was not running" in capsys.readouterr().err


def test_rollback_restores_the_files_before_the_last_commit(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dict(published.head.files)
    published.commit("by hand", before | {"app.py": b"broken", "new.py": b"1"})
    assert publish(SPACE, "--rollback") == 0
    assert published.head.title == "by hand"
    assert publish(SPACE, "--rollback", "--apply") == 0
    assert published.head.files == before


def test_a_preview_is_private_and_can_be_deleted(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(SPACE, "--preview", "7", "--apply") == 0
    assert hub.spaces[f"{REPO}-pr-7"].private
    assert not published.private
    assert publish(SPACE, "--preview", "7", "--delete-preview") == 0
    assert f"{REPO}-pr-7" in hub.spaces
    for _ in range(2):  # deleting it twice isn't an error
        assert publish(SPACE, "--preview", "7", "--delete-preview", "--apply") == 0
        assert set(hub.spaces) == {REPO}
    assert publish(SPACE, "--delete-preview", "--apply") == 1
    assert "--preview N" in capsys.readouterr().err
    assert REPO in hub.spaces


def test_the_owner_can_be_an_organisation(hub: Hub, publish: Publish) -> None:
    assert publish(SPACE, "--owner", "lab", "--apply") == 0
    assert set(hub.spaces) == {"lab/platform_compare"}


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "hf auth login"),
        (402, "--hardware zero-a10g"),
        (403, "write access"),
        (404, "Check the name"),
        (429, "Too many requests"),
        (500, "status.huggingface.co"),
    ],
)
def test_a_refused_creation_has_a_remedy(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str], status: int, remedy: str
) -> None:
    hub.fail("create", status, times=9)
    assert publish(SPACE, "--apply") == 1
    error = capsys.readouterr().err
    assert remedy in error
    assert TOKEN not in error
    assert not hub.spaces


def test_without_a_token_the_remedy_is_to_log_in(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(SPACE, token=None) == 1
    assert "hf auth login" in capsys.readouterr().err


def test_other_spaces_are_published_after_one_fails(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.fail("create", 403)
    assert publish("--all", "--apply") == 1
    output = capsys.readouterr().out
    table = output.splitlines()[-4:]
    assert table[0].split()[:2] == ["somebody/chat_rag", "failed"]
    assert table[1].split()[:2] == ["somebody/dashboard", "published"]
    assert table[2].split()[:2] == ["somebody/platform_compare", "published"]
    assert table[3].split()[:2] == ["somebody/vision", "published"]


def test_json(publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(SPACE, "--json") == 0
    outcomes: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert outcomes[0]["state"] == "unchanged"
    assert outcomes[0]["commit"] == published.head.oid


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["poetry"], "There is no Space 'poetry'"),
        (["--all", "--repo", "somebody/x"], "--repo names one Space"),
        ([SPACE, "--repo", "nothing"], "isn't the name of a Space"),
        (["--changed", "no-such-commit"], "git knows no"),
    ],
)
def test_wrong_usage(publish: Publish, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert publish(*arguments) == 1
    assert message in capsys.readouterr().err


def test_a_zero_gpu_space_has_a_python_of_zero_gpu(hub: Hub, publish: Publish) -> None:
    assert publish(SPACE, "--apply", "--hardware", "zero-a10g") == 0
    space = hub.spaces[REPO]
    assert space.hardware == "zero-a10g"
    metadata = front_matter.parse(space.head.files["README.md"].decode())
    assert metadata["python_version"] == "3.12.12"
    assert metadata["suggested_hardware"] == "zero-a10g"
    assert metadata["thumbnail"] == f"https://huggingface.co/spaces/{REPO}/resolve/main/preview.png"
    assert "preview.png" in space.head.files
    assert "\ntorch" not in space.head.files["requirements.txt"].decode()
    hub.requests.clear()
    assert publish(SPACE, "--apply") == 0  # keeps the hardware
    assert hub.requests == ["whoami", "info", "tree"]


def test_settings_are_in_the_plan_and_applied_once(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "very-secret-value")
    settings = ["--variable", "SPACEPORT_GPU_URL=http://gpu/v1", "--secret", "MY_KEY", "--hardware", "t4-small",
              "--sleep", "3600"]  # fmt: skip
    assert publish(SPACE, *settings) == 0
    output = capsys.readouterr().out
    for line in ("= variable SPACEPORT_GPU_URL", "= secret MY_KEY", "= hardware t4-small", "= sleep after 3600 s"):
        assert line in output
    assert not published.secrets
    before = published.head.oid
    assert publish(SPACE, *settings, "--apply") == 0
    assert published.variables == {"SPACEPORT_GPU_URL": "http://gpu/v1"}
    assert published.secrets == {"MY_KEY": "very-secret-value"}
    assert (published.hardware, published.sleep) == ("t4-small", 3600)
    assert published.head.oid == before  # no file changed, so there is no commit
    hub.requests.clear()
    assert publish(SPACE, *settings, "--apply") == 0
    assert hub.requests == ["whoami", "info", "tree", "variables", "secrets"]
    monkeypatch.setenv("MY_KEY", "another-value")
    assert publish(SPACE, *settings, "--apply", "--replace-secrets") == 0
    assert published.secrets == {"MY_KEY": "another-value"}
    output += "".join(capsys.readouterr())
    assert "very-secret-value" not in output
    assert "another-value" not in output


def test_a_new_space_has_its_settings(hub: Hub, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "very-secret-value")
    assert publish(SPACE, "--apply", "--secret", "MY_KEY", "--variable", "A=1", "--sleep", "600") == 0
    space = hub.spaces[REPO]
    assert (space.secrets, space.variables, space.sleep) == ({"MY_KEY": "very-secret-value"}, {"A": "1"}, 600)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variable", "NAME"], "Write NAME=VALUE"),
        (["--secret", "TOKEN=hf_abc"], "Write --secret NAME"),
        (["--secret", "NOT_SET_HERE"], "Export NOT_SET_HERE"),
        (["--delete-preview"], "Add --preview N"),
    ],
)
def test_invalid_settings(
    publish: Publish, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert publish(SPACE, *arguments) == 1
    output = "".join(capsys.readouterr())
    assert message in output
    assert "hf_abc" not in output


def test_another_checkout_is_published_and_none_of_it_runs(hub: Hub, publish: Publish, tmp_path: Path) -> None:
    checkout = tmp_path / "pull-request"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", checkout], check=True)
    app = checkout / "spaces" / SPACE / "app.py"
    app.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", "-C", checkout, *author, "commit", "--quiet", "--all", "-m", "A change"], check=True)
    assert publish("--root", str(checkout), "--changed", "HEAD~1", "--preview", "7", "--apply") == 0
    assert hub.spaces[f"{REPO}-pr-7"].head.files["app.py"] == app.read_bytes()
    assert list(hub.spaces) == [f"{REPO}-pr-7"]
    assert not (tmp_path / "ran").exists()


def test_stale_previews_are_pruned(hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    for number, modified in ((1, "2026-01-01T00:00:00.000Z"), (2, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}")):
        assert publish(SPACE, "--apply", "--preview", str(number)) == 0
        hub.spaces[f"{REPO}-pr-{number}"].modified = modified
    assert publish(SPACE, "--apply") == 0
    assert publish(SPACE, "--prune-previews", "14") == 0
    assert f"{REPO}-pr-1: would be deleted" in capsys.readouterr().out
    assert publish(SPACE, "--prune-previews", "14", "--apply") == 0
    assert sorted(hub.spaces) == [REPO, f"{REPO}-pr-2"]


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1), ("", 1)])
def test_the_terminal_asks_before_a_third_is_deleted(hub: Hub, published: Space, answer: str, status: int) -> None:
    published.commit("by hand", {f"old/{number}.txt": b"x" for number in range(300)} | published.head.files)
    before = published.head.oid
    person, terminal = os.openpty()
    os.write(person, f"{answer}\n".encode())
    process = subprocess.run(
        [sys.executable, "scripts/publish_space.py", SPACE, "--apply", "--no-try", "--no-smoke", "--poll", "0.01"],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN},
        stdin=terminal,
        capture_output=True,
        text=True,
    )
    os.close(person)
    os.close(terminal)
    assert process.returncode == status, process.stderr
    assert "300 of" in process.stdout
    assert (published.head.oid == before) == bool(status)


def test_a_silent_hub_times_out(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.fail("info", "silent", 9)
    client = HubClient(HfApi(endpoint=hub.url, token=TOKEN), silence_seconds=0.2)
    assert publish_space.main([SPACE], client) == 1
    assert "does not answer" in capsys.readouterr().err


APP = """
import sys
import gradio as gr

def answers(prompt: str) -> dict[str, str]:
    return {"laptop": f"heard {prompt}"}

with gr.Blocks() as app:
    gr.api(answers, api_name="answers")
app.launch(server_port=int(sys.argv[1]), quiet=True)
"""


def test_the_smoke_test_calls_the_running_space(
    hub: Hub, published: Space, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The request goes to a real app over HTTP; then the app is gone."""
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    (tmp_path / "app.py").write_text(APP)
    client = HubClient(HfApi(endpoint=hub.url, token=TOKEN))
    arguments = [SPACE, "--apply", "--no-try", "--poll", "0.01", "--timeout", "5"]
    port = free_port()
    with subprocess.Popen([sys.executable, str(tmp_path / "app.py"), str(port)]) as app:
        hub.host = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with suppress(httpx2.TransportError):
                httpx2.get(hub.host)
                break
            sleep(0.1)
        assert publish_space.main(arguments, client) == 0
        assert "answers 'heard Say hello.'" in capsys.readouterr().out
        app.terminate()
    published.commit("by hand", published.head.files | {"app.py": b"older"})
    assert publish_space.main([*arguments, "--on-failure", "rollback"], client) == 1
    assert "runs, but does not answer" in capsys.readouterr().err
    assert published.head.files["app.py"] == b"older"


def test_a_line_is_written_at_once() -> None:
    class Stream(io.StringIO):
        writes: ClassVar[list[str]] = []

        def write(self, text: str) -> int:
            self.writes.append(text)
            return super().write(text)

    publish_space._report(Stream(), "team/chat: building")
    assert Stream.writes == ["team/chat: building\n"]


def test_waiting_can_be_interrupted(hub: Hub) -> None:
    hub.builds = ["BUILDING"]
    with subprocess.Popen(
        [sys.executable, "scripts/publish_space.py", SPACE, "--apply", "--no-try", "--poll", "0.05"],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line.endswith(": building\n"):
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopped. A pushed commit stays" in errors
    assert "Traceback" not in errors
    assert len(hub.spaces[REPO].commits) == 2


def test_metadata_that_the_hub_refuses_is_in_its_words(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "refused_metadata", "Compare")  # the Hub knows more rules than are checked here
    for repo in (f"{REPO}-new", REPO):
        published.commit("by hand", published.head.files | {"app.py": b"old", "README.md": b"old"})
        assert publish(SPACE, "--repo", repo, "--apply") == 1
        error = capsys.readouterr().err
        assert 'The Hub refuses the front matter of README.md:\n  "title" may not be Compare' in error
        assert "Traceback" not in error
        assert published.head.title == "by hand"
    assert set(hub.spaces) == {REPO}


@pytest.mark.parametrize(
    "name", ["somebody/a b", "somebody/a--b", "-x/y", "somebody/ü", "somebody/x.git", "a/b/c", "x"]
)
def test_a_bad_repository_name_is_refused(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert publish(SPACE, f"--repo={name}") == 1
    error = capsys.readouterr().err
    assert "Write OWNER/NAME" in error
    assert repr(name) in error
    assert not hub.requests
