"""A Space that sleeps, is paused, gets no machine or takes longer: it's woken or explained, and never rolled back."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy

import pytest

from publishing.errors import SpaceFailed, SpaceNotReady
from publishing.hub import watch
from publishing.smoke_request import answer_text
from scripts import publish_space
from tests.helpers.servers import serving
from tests.publish.conftest import client, publisher
from tests.publish.fake_hub import TOKEN, Hub, Space

Publish = Callable[..., int]
SPACE, REPO = "platform_compare", "somebody/platform_compare"


@pytest.fixture(scope="module")
def first_publication() -> Space:
    """A Space after its first publication, and another commit that a publication would replace."""
    with serving(Hub()) as hub:
        assert publisher(hub)(SPACE, "--apply") == 0
        space = hub.spaces[REPO]
        space.commit("by hand", space.head.files | {"app.py": b"old"})
        return space


@pytest.fixture
def space(hub: Hub, first_publication: Space) -> Space:
    hub.spaces[REPO] = deepcopy(first_publication)
    return hub.spaces[REPO]


def apply(publish: Publish, *arguments: str) -> int:
    return publish(SPACE, "--apply", "--on-failure", "rollback", *arguments)


def is_kept(space: Space) -> bool:
    """Whether the new commit is the last one."""
    return space.head.title.startswith("Publish ")


@pytest.mark.parametrize("stage", ["SLEEPING", "STOPPED"])
def test_a_sleeping_space_is_woken(
    hub: Hub, publish: Publish, space: Space, capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    hub.builds = [stage]
    assert apply(publish) == 0
    assert space.restarts == 1
    assert f"{REPO}: it's asleep; waking it" in capsys.readouterr().out


def test_what_was_before_the_push_does_not_count(hub: Hub, publish: Publish, space: Space) -> None:
    hub.builds = ["PAUSED", "PAUSED", "SLEEPING", "BUILDING", "RUNNING"]
    assert apply(publish) == 0
    assert not space.restarts


def test_a_failure_from_before_a_restart_does_not_count(hub: Hub, publish: Publish, space: Space) -> None:
    """No file changes, so that the stage from before is about the same commit."""
    assert apply(publish) == 0
    hub.wakes = ["RUNTIME_ERROR", "RUNTIME_ERROR", "APP_STARTING", "RUNNING"]
    assert apply(publish, "--variable", "COLOUR=blue") == 0
    assert is_kept(space)


def test_an_app_that_ran_before_a_restart_may_fail_after_it(
    hub: Hub, publish: Publish, space: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply(publish) == 0
    hub.wakes = ["RUNNING", "RUNNING", "APP_STARTING", "RUNTIME_ERROR"]
    assert apply(publish, "--variable", "COLOUR=blue") == 1
    assert "failed (RUNTIME_ERROR)" in capsys.readouterr().err


def test_a_space_that_a_setting_does_not_restart_is_running(hub: Hub, publish: Publish, space: Space) -> None:
    assert apply(publish) == 0
    hub.wakes = ["RUNNING"]
    assert apply(publish, "--variable", "COLOUR=blue") == 0


def test_the_start_has_as_much_time_as_the_build(
    hub: Hub, publish: Publish, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        seconds = 0.0

        def monotonic(self) -> float:
            return self.seconds

        def sleep(self, seconds: float) -> None:
            self.seconds += seconds

    monkeypatch.setattr(watch, "time", Clock())
    hub.builds = [*["BUILDING"] * 5, *["APP_STARTING"] * 5, "RUNNING"]
    assert apply(publish, "--poll", "100", "--timeout", "800") == 0


def test_a_space_that_does_not_stay_awake_is_explained(
    hub: Hub, publish: Publish, space: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.builds = hub.wakes = ["SLEEPING"]
    assert apply(publish) == 1
    assert space.restarts == 1
    assert is_kept(space)
    assert "is asleep (SLEEPING)" in capsys.readouterr().err


def test_a_paused_space_has_the_new_files_and_stays_paused(
    hub: Hub, publish: Publish, space: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.builds, space.message = ["PAUSED"], f"Paused: no credits left {TOKEN}"
    assert apply(publish, "--json") == 1
    output = capsys.readouterr()
    assert f"{REPO} is paused (PAUSED). The Hub says: “Paused: no credits left ***”." in output.err
    assert f"hf spaces restart {REPO}" in output.err
    assert "failed" not in output.err
    outcome = json.loads(output.out)[0]
    assert (outcome["state"], outcome["commit"]) == ("not ready", space.head.oid)
    assert is_kept(space)
    assert not space.restarts


@pytest.fixture
def ended(hub: Hub, publish: Publish, space: Space, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Publish, let the app end for a reason that the Hub gives, and return the error, which has it."""

    def run(reason: str) -> str:
        hub.builds, space.message = ["BUILDING", "RUNTIME_ERROR"], reason
        assert apply(publish) == 1
        error = capsys.readouterr().err
        assert reason in error
        return error

    return run


@pytest.mark.parametrize(
    "reason",
    [
        "Scheduling failure: unable to schedule",
        "Scheduling failure: not enough hardware capacity",
        "Payment required: no credits left",
    ],
)
def test_a_hub_without_a_machine_is_no_failed_build(space: Space, ended: Callable[[str], str], reason: str) -> None:
    error = ended(reason)
    assert f"The Hub has no machine for {REPO}" in error
    assert f"hf spaces restart {REPO}" in error
    assert is_kept(space)


@pytest.mark.parametrize(
    "reason",
    [
        "Exit code: 1. Reason: OSError: Disk quota exceeded",
        "Exit code: 1. Reason: the billing service is unreachable",
        "Launch timed out, workload was not healthy after 30 min",
    ],
)
def test_an_app_that_ends_is_rolled_back(space: Space, ended: Callable[[str], str], reason: str) -> None:
    ended(reason)
    assert space.head.title.startswith("Back to ")


@pytest.mark.parametrize("stage", ["BUILDING", "RUNNING_BUILDING", "APP_STARTING", "RUNNING_APP_STARTING", "NEW"])
def test_a_space_that_takes_longer_is_kept(
    hub: Hub, publish: Publish, space: Space, capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    hub.builds = [stage]
    assert apply(publish, "--timeout", "0.2") == 1
    error = capsys.readouterr().err
    assert "was not running" in error
    assert f"It has the files of {space.head.oid[:8]}" in error
    assert "--timeout" in error
    assert is_kept(space)


def test_a_silent_hub_is_no_failed_space(hub: Hub, publish: Publish, space: Space) -> None:
    hub.fail("runtime", 403, times=9)
    assert apply(publish) == 1
    assert is_kept(space)


def test_a_space_that_falls_asleep_before_its_test_is_kept(
    hub: Hub, space: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is at the address of the Space."""
    hub.host, hub.builds = "http://127.0.0.1:9", ["RUNNING", "PAUSED"]
    arguments = [SPACE, "--apply", "--on-failure", "rollback", "--no-try", "--poll", "0.01", "--timeout", "5"]
    assert publish_space.main(arguments, client(hub)) == 1
    assert f"{REPO} is paused" in capsys.readouterr().err
    assert is_kept(space)
    space.commit("by hand", space.head.files | {"app.py": b"old"})
    hub.builds = ["RUNNING"]
    assert publish_space.main(arguments, client(hub)) == 1
    assert "does not answer" in capsys.readouterr().err
    assert space.head.title.startswith("Back to ")


QUOTA = "You have exceeded your GPU quota (60s requested vs. 5s left). Try again in 2:05:00"


@pytest.mark.parametrize(
    "reply",
    [
        f"error: ZeroGPU provided no GPU: {QUOTA}.",
        {"laptop": f"error: {QUOTA}"},
        "error: You are running out of daily ZeroGPU quotas. Try again in 2:05:00",
    ],
)
def test_a_used_up_quota_is_no_failed_space(reply: object) -> None:
    with pytest.raises(SpaceNotReady, match=r"ZeroGPU has no GPU for its test: “.*Try again in 2:05:00”"):
        answer_text(SPACE, reply)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "error: Nothing is installed here.",
        {"laptop": "error: broken"},
        "error: ZeroGPU provided no GPU: TypeError.",
    ],
)
def test_another_error_is_a_failed_space(reply: object) -> None:
    with pytest.raises(SpaceFailed):
        answer_text(SPACE, reply)


def test_a_failed_test_stays_known_if_the_hub_does_not_say_the_state(hub: Hub, space: Space) -> None:
    hub.host, hub.builds = "http://127.0.0.1:9", ["RUNNING"]
    arguments = [SPACE, "--apply", "--on-failure", "rollback", "--no-try", "--poll", "0.01", "--timeout", "5"]
    hub.faults["runtime"] = [None, None, 403]  # of the plan and of the wait, and then of the failed test
    assert publish_space.main(arguments, client(hub)) == 1
    assert space.head.title.startswith("Back to ")


def test_an_answer_may_be_about_quota() -> None:
    assert answer_text(SPACE, {"laptop": QUOTA}) == QUOTA
