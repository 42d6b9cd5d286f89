"""Publishing to a Hub on a real socket with the real client: first, again, changed, raced, failed, back."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Any, ClassVar

import httpx2
import pytest
from huggingface_hub import HfApi

from publishing.hub import Hub as Ours
from scripts import publish_space
from tests.conftest import ROOT
from tests.publish.stand_in import TOKEN, Hub, Space

Publish = Callable[..., int]
REPO = "somebody/platform_compare"
SPACE = "platform_compare"


@pytest.fixture
def published(hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]) -> Space:
    """A Space that runs what is staged now."""
    assert publish(SPACE, "--apply") == 0
    capsys.readouterr()
    hub.asked.clear()
    return hub.spaces[REPO]


def test_the_plan_is_the_default_and_changes_nothing(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(SPACE) == 0
    told = capsys.readouterr().out
    assert "somebody/platform_compare: a new Space" in told
    assert "+ app.py" in told
    assert "+ backends/types.py" in told
    assert not hub.spaces
    assert set(hub.asked) <= {"whoami", "info"}


def test_a_first_publish(hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(SPACE, "--apply", "--private") == 0
    space = hub.spaces[REPO]
    assert space.private
    assert space.sdk == "gradio"
    files = space.head.files
    assert files["app.py"] == (ROOT / "spaces/platform_compare/app.py").read_bytes()
    assert files["theme.py"] == (ROOT / "spaces/ui/theme.py").read_bytes()
    assert files["backends/backends.toml"] == (ROOT / "backends/backends.toml").read_bytes()
    assert any(place.startswith("results/") for place in files)
    assert files["LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert not [place for place in files if place.startswith(("spaces/", "tests/", "rag/")) or "__pycache__" in place]
    assert len(space.commits) == 2  # the Hub's own, and one of ours
    assert space.head.title.startswith("Publish ")
    told = capsys.readouterr().out
    assert "Successfully built gradio" in told
    assert f"runs {space.head.oid[:8]}" in told


def test_nothing_to_do_writes_nothing(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    before = published.head.oid
    assert publish(SPACE, "--apply") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert published.head.oid == before
    assert hub.asked == ["whoami", "info", "tree"]


def test_changes_and_deletions_are_one_commit(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    files = published.head.files | {"old.py": b"print(1)\n", "app.py": b"old"}
    del files["theme.py"]
    published.commit("by hand", files)
    assert publish(SPACE, "--apply") == 0
    told = capsys.readouterr().out
    for line in ("- old.py (9 B)", "~ app.py", "+ theme.py", "1 to add, 1 to change, 1 to delete"):
        assert line in told
    assert "old.py" not in published.head.files
    assert ".gitattributes" in published.head.files
    assert [commit.title for commit in published.commits][-2] == "by hand"


def test_a_deletion_of_a_third_asks(publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]) -> None:
    many = {f"notes/{number}.md": b"x" for number in range(len(published.head.files))}
    published.commit("by hand", published.head.files | many)
    before = published.head.oid
    assert publish(SPACE, "--apply") == 1
    assert "would be deleted" in capsys.readouterr().err
    assert published.head.oid == before
    assert publish(SPACE, "--apply", "--yes") == 0
    assert not [place for place in published.head.files if place.startswith("notes/")]


def test_a_space_that_changed_meanwhile_is_planned_again_and_never_overwritten(
    hub: Hub, publish: Publish, published: Space
) -> None:
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    hub.on_commit = lambda space: space.commit("somebody else", space.head.files | {"more.py": b"x = 1\n"})
    assert publish(SPACE, "--apply") == 0
    assert [commit.title for commit in published.commits][-2] == "somebody else"
    assert "more.py" not in published.head.files  # planned again, with the new state seen
    assert hub.asked.count("tree") == 2


def test_a_commit_that_landed_before_its_answer_broke_is_not_made_twice(
    hub: Hub, publish: Publish, published: Space
) -> None:
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    count = len(published.commits)
    hub.fail("commit", "after")
    assert publish(SPACE, "--apply") == 0
    assert len(published.commits) == count + 1


def test_a_failing_build_shows_its_error_lines(
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


def test_a_failure_can_go_back_by_itself(hub: Hub, publish: Publish, published: Space) -> None:
    old = published.commit("by hand", published.head.files | {"app.py": b"old", "extra.py": b"1"}).files
    hub.builds = ["BUILDING", "RUNTIME_ERROR"]
    assert publish(SPACE, "--apply", "--on-failure", "rollback") == 1
    assert published.head.files == old
    assert published.head.title.startswith("Back to ")


def test_running_with_the_old_commit_is_not_enough(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    hub.builds = ["BUILDING"]  # for ever
    assert publish(SPACE, "--apply", "--timeout", "0.3") == 1
    assert "was not running" in capsys.readouterr().err


def test_rollback_brings_back_the_tree_before(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dict(published.head.files)
    published.commit("by hand", before | {"app.py": b"broken", "new.py": b"1"})
    assert publish(SPACE, "--rollback") == 0
    assert published.head.title == "by hand"
    assert publish(SPACE, "--rollback", "--apply") == 0
    assert published.head.files == before


def test_a_preview_is_private_and_goes_with_its_pull_request(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(SPACE, "--preview", "7", "--apply") == 0
    assert hub.spaces[f"{REPO}-pr-7"].private
    assert not published.private
    assert publish(SPACE, "--preview", "7", "--delete-preview") == 0
    assert f"{REPO}-pr-7" in hub.spaces
    for _ in range(2):  # deleting what is gone is no failure
        assert publish(SPACE, "--preview", "7", "--delete-preview", "--apply") == 0
        assert set(hub.spaces) == {REPO}
    assert publish(SPACE, "--delete-preview", "--apply") == 1
    assert "--preview N" in capsys.readouterr().err
    assert REPO in hub.spaces


def test_an_organisation_owns_the_space(hub: Hub, publish: Publish) -> None:
    assert publish(SPACE, "--owner", "lab", "--apply") == 0
    assert set(hub.spaces) == {"lab/platform_compare"}
    assert "whoami" not in hub.asked


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "hf auth login"),
        (402, "free account"),
        (403, "write access"),
        (404, "Check the name"),
        (429, "Too many requests"),
        (500, "status.huggingface.co"),
    ],
)
def test_a_refusal_to_create_says_what_to_do(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str], status: int, told: str
) -> None:
    hub.fail("create", status, times=9)
    assert publish(SPACE, "--apply") == 1
    error = capsys.readouterr().err
    assert told in error
    assert TOKEN not in error
    assert not hub.spaces


def test_nobody_is_logged_in(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(SPACE, token=None) == 1
    assert "hf auth login" in capsys.readouterr().err


def test_several_go_on_after_one_fails_and_end_with_a_table(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.fail("create", 403)
    assert publish("--all", "--apply") == 1
    told = capsys.readouterr()
    table = told.out.splitlines()[-3:]
    assert table[0].split()[:2] == ["somebody/chat_rag", "failed"]
    assert table[1].split()[:2] == ["somebody/dashboard", "published"]
    assert table[2].split()[:2] == ["somebody/platform_compare", "published"]


def test_json(publish: Publish, published: Space, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(SPACE, "--json") == 0
    told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert told[0]["state"] == "unchanged"
    assert told[0]["commit"] == published.head.oid


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["poetry"], "There is no Space 'poetry'"),
        (["--all", "--repo", "somebody/x"], "--repo names one place"),
        ([SPACE, "--repo", "nothing"], "is no Space"),
        (["--changed", "no-such-commit"], "git knows no"),
    ],
)
def test_wrong_use(publish: Publish, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    assert publish(*arguments) == 1
    assert told in capsys.readouterr().err


def test_a_space_for_zero_gpu_has_its_python(hub: Hub, publish: Publish) -> None:
    assert publish(SPACE, "--apply", "--hardware", "zero-a10g") == 0
    space = hub.spaces[REPO]
    assert space.hardware == "zero-a10g"
    readme = space.head.files["README.md"].decode()
    assert 'python_version: "3.12.12"\nsuggested_hardware: zero-a10g\n' in readme
    assert "\ntorch" not in space.head.files["requirements.txt"].decode()
    hub.asked.clear()
    assert publish(SPACE, "--apply") == 0  # without naming it again
    assert hub.asked == ["whoami", "info", "tree"]


def test_settings_are_planned_by_name_and_set_once(
    hub: Hub, publish: Publish, published: Space, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "very-secret-value")
    wanted = ["--variable", "SPACEPORT_GPU_URL=http://gpu/v1", "--secret", "MY_KEY", "--hardware", "t4-small",
              "--sleep", "3600"]  # fmt: skip
    assert publish(SPACE, *wanted) == 0
    told = capsys.readouterr().out
    for line in ("= variable SPACEPORT_GPU_URL", "= secret MY_KEY", "= hardware t4-small", "= sleep after 3600 s"):
        assert line in told
    assert not published.secrets
    before = published.head.oid
    assert publish(SPACE, *wanted, "--apply") == 0
    assert published.variables == {"SPACEPORT_GPU_URL": "http://gpu/v1"}
    assert published.secrets == {"MY_KEY": "very-secret-value"}
    assert (published.hardware, published.sleep) == ("t4-small", 3600)
    assert published.head.oid == before  # no file changed, so there is no commit
    hub.asked.clear()
    assert publish(SPACE, *wanted, "--apply") == 0
    assert hub.asked == ["whoami", "info", "tree", "variables", "secrets"]
    monkeypatch.setenv("MY_KEY", "another-value")
    assert publish(SPACE, *wanted, "--apply", "--replace-secrets") == 0
    assert published.secrets == {"MY_KEY": "another-value"}
    shown = told + "".join(capsys.readouterr())
    assert "very-secret-value" not in shown
    assert "another-value" not in shown


def test_a_new_space_gets_its_settings(hub: Hub, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "very-secret-value")
    assert publish(SPACE, "--apply", "--secret", "MY_KEY", "--variable", "A=1", "--sleep", "600") == 0
    space = hub.spaces[REPO]
    assert (space.secrets, space.variables, space.sleep) == ({"MY_KEY": "very-secret-value"}, {"A": "1"}, 600)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--variable", "NAME"], "Write NAME=VALUE"),
        (["--secret", "TOKEN=hf_abc"], "Write --secret NAME"),
        (["--secret", "NOT_SET_HERE"], "Export NOT_SET_HERE"),
        (["--delete-preview"], "Add --preview N"),
    ],
)
def test_settings_that_cannot_be_set(
    publish: Publish, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert publish(SPACE, *arguments) == 1
    shown = "".join(capsys.readouterr())
    assert told in shown
    assert "hf_abc" not in shown


def test_previews_go_after_a_time(hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    for number, modified in ((1, "2026-01-01T00:00:00.000Z"), (2, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}")):
        assert publish(SPACE, "--apply", "--preview", str(number)) == 0
        hub.spaces[f"{REPO}-pr-{number}"].modified = modified
    assert publish(SPACE, "--apply") == 0
    assert publish(SPACE, "--prune-previews", "14") == 0
    assert f"{REPO}-pr-1: would be deleted" in capsys.readouterr().out
    assert publish(SPACE, "--prune-previews", "14", "--apply") == 0
    assert sorted(hub.spaces) == [REPO, f"{REPO}-pr-2"]


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1), ("", 1)])
def test_a_person_is_asked_before_a_third_is_deleted(hub: Hub, published: Space, answer: str, status: int) -> None:
    published.commit("by hand", {f"old/{number}.txt": b"x" for number in range(90)} | published.head.files)
    before = published.head.oid
    person, terminal = os.openpty()
    os.write(person, f"{answer}\n".encode())
    ended = subprocess.run(
        [sys.executable, "scripts/publish_space.py", SPACE, "--apply", "--no-try", "--no-smoke", "--poll", "0.01"],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN},
        stdin=terminal,
        capture_output=True,
        text=True,
    )
    os.close(person)
    os.close(terminal)
    assert ended.returncode == status, ended.stderr
    assert "90 of" in ended.stdout
    assert (published.head.oid == before) == bool(status)


def test_a_hub_that_never_answers_is_not_waited_for(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.fail("info", "silent", 9)
    ours = Ours(HfApi(endpoint=hub.url, token=TOKEN), silence_seconds=0.2)
    assert publish_space.main([SPACE], ours) == 1
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


def test_the_running_space_is_asked_a_question(
    hub: Hub, published: Space, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Space's own API, over the wire: an app that answers, and none."""
    published.commit("by hand", published.head.files | {"app.py": b"old"})
    (tmp_path / "app.py").write_text(APP)
    ours = Ours(HfApi(endpoint=hub.url, token=TOKEN))
    arguments = [SPACE, "--apply", "--no-try", "--poll", "0.01", "--timeout", "5"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, str(tmp_path / "app.py"), str(port)]) as app:
        hub.host = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with suppress(httpx2.TransportError):
                httpx2.get(hub.host)
                break
            sleep(0.1)
        assert publish_space.main(arguments, ours) == 0
        assert "answers 'heard Say hello.'" in capsys.readouterr().out
        app.terminate()
    published.commit("by hand", published.head.files | {"app.py": b"older"})
    assert publish_space.main([*arguments, "--on-failure", "rollback"], ours) == 1
    assert "runs, but does not answer" in capsys.readouterr().err
    assert published.head.files["app.py"] == b"older"


def test_a_line_of_another_thread_cannot_come_inside_one() -> None:
    class Stream(io.StringIO):
        written: ClassVar[list[str]] = []

        def write(self, text: str) -> int:
            self.written.append(text)
            return super().write(text)

    publish_space._say(Stream(), "team/chat: building")
    assert Stream.written == ["team/chat: building\n"]


def test_waiting_can_be_stopped(hub: Hub) -> None:
    hub.builds = ["BUILDING"]
    with subprocess.Popen(
        [sys.executable, "scripts/publish_space.py", SPACE, "--apply", "--no-try", "--poll", "0.05"],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        for line in running.stdout:
            if line.endswith(": building\n"):
                break
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Stopped. A commit that was pushed stays" in told
    assert "Traceback" not in told
    assert len(hub.spaces[REPO].commits) == 2
