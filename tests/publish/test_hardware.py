"""The hardware of a new Space: what the account may create, and what happens if the Hub refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backends.hub.client import Hub as HubClient
from publishing.hub.account import Subscription, propose_hardware, subscription
from tests.publish.conftest import client
from tests.publish.fake_hub import REFUSAL, Hub, Space

Publish = Callable[..., int]
SPACE, REPO = "platform_compare", "somebody/platform_compare"


def test_a_free_account_gets_zero_gpu(hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    hub.account = {"isPro": False}
    assert publish(SPACE) == 0
    plan = capsys.readouterr().out
    assert "hardware zero-a10g, because somebody is a free account: it may have two ZeroGPU Spaces" in plan
    assert "= hardware zero-a10g" in plan
    assert publish(SPACE, "--apply") == 0
    assert hub.spaces[REPO].hardware == "zero-a10g"
    assert b"python_version: 3.12.12" in hub.spaces[REPO].head.files["README.md"]
    capsys.readouterr()
    assert publish(SPACE, "--apply") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_hardware_that_is_named_is_kept_and_its_refusal_leaves_nothing(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.account = {"isPro": False}
    assert publish(SPACE, "--hardware", "cpu-basic", "--apply") == 1
    output = capsys.readouterr()
    assert "the Hub will refuse this (402)" in output.out
    assert REFUSAL in output.err
    assert "Nothing was created. Free accounts: run the command again with --hardware zero-a10g." in output.err
    assert not hub.spaces
    assert publish("dashboard", "--apply") == 1
    output = capsys.readouterr()
    assert "a Docker Space on cpu-basic needs PRO" in output.out
    assert "A Docker Space needs PRO, or a paid organisation" in output.err
    assert not hub.spaces


def test_the_limit_of_zero_gpu_spaces_is_explained(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.account = {"isPro": False}
    hub.fail("create", 402, times=9)
    assert publish(SPACE, "--apply") == 1
    error = capsys.readouterr().err
    assert "Nothing was created. A free account may have two ZeroGPU Spaces" in error
    assert not hub.spaces


def test_a_paid_account_keeps_the_default(hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    hub.account = {"isPro": True}
    assert publish(SPACE, "--apply") == 0
    assert hub.spaces[REPO].hardware == "cpu-basic"
    assert "zero-a10g" not in capsys.readouterr().out


@pytest.mark.parametrize("status", [402, 403])
def test_refused_hardware_of_a_space_changes_nothing(
    hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("MY_KEY", "value")
    assert publish(SPACE, "--apply") == 0
    space: Space = hub.spaces[REPO]
    space.commit("by hand", space.head.files | {"app.py": b"old"})
    hub.fail("hardware", status, times=9)
    arguments = ("--hardware", "a100-large", "--variable", "A=1", "--secret", "MY_KEY", "--apply")
    assert publish(SPACE, *arguments) == 1
    error = capsys.readouterr().err
    assert "Nothing was changed. Run the command again without --hardware a100-large" in error
    assert (space.variables, space.secrets, space.hardware) == ({}, {}, "cpu-basic")
    assert space.head.title == "by hand"


@pytest.mark.parametrize(
    ("account", "owner", "expected"),
    [
        ({"isPro": True}, "somebody", Subscription.PAID),
        ({"isPro": False}, "somebody", Subscription.FREE),
        ({}, "somebody", Subscription.UNKNOWN),
        ({"isPro": True}, "lab", Subscription.UNKNOWN),
        ({"orgs": [{"name": "lab", "isEnterprise": True}]}, "lab", Subscription.PAID),
        ({"orgs": [{"name": "lab", "isEnterprise": False, "plan": "team"}]}, "lab", Subscription.PAID),
        ({"orgs": [{"name": "lab", "isEnterprise": False, "plan": "free"}]}, "lab", Subscription.FREE),
        ({"orgs": [{"name": "lab", "isEnterprise": False}]}, "lab", Subscription.UNKNOWN),
        ({"orgs": None}, "lab", Subscription.UNKNOWN),
    ],
)
def test_what_an_account_may_create(hub: Hub, account: dict[str, Any], owner: str, expected: Subscription) -> None:
    hub.account = account
    hub_client: HubClient = client(hub)
    assert subscription(hub_client, owner) is expected
    assert subscription(client(hub, token=None), owner) is Subscription.UNKNOWN
    assert subscription(hub_client, owner) is expected
    assert hub.requests.count("whoami") == 1


def test_the_plan_has_the_cost_of_hardware(hub: Hub, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(SPACE, "--hardware", "t4-small") == 0
    assert "t4-small: 4 vCPU, 15 GB, 1 × T4, 0.4 USD per hour" in capsys.readouterr().out
    assert publish(SPACE, "--hardware", "t5-small") == 1
    assert "The Hub has no hardware 't5-small'" in capsys.readouterr().err
    hub.fail("offers", 404, times=9)
    assert publish(SPACE, "--hardware", "t4-small") == 0
    assert "USD" not in capsys.readouterr().out


def test_proposals() -> None:
    assert propose_hardware(Subscription.FREE, "me", "gradio", "t4-small")[0] == "t4-small"
    assert propose_hardware(Subscription.FREE, "me", "static", None)[0] is None
    hardware, reason = propose_hardware(Subscription.UNKNOWN, "me", "gradio", None)
    assert hardware is None
    assert "pass --hardware zero-a10g" in reason
