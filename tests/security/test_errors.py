"""What a stranger is told when something fails: what to do, and nothing of the server's insides."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import ROOT
from tests.security.conftest import CANARY, IN_PATH, IN_REPEATED_PATH, Served
from tests.security.wire import Ended, Guest

NO_TARGETS: list[Any] = [
    "nowhere",
    "",
    " scripted",
    "__class__",
    "../scripted",
    "/etc/passwd",
    "http://127.0.0.1:9/v1",
    "openai",
    "backends.openai",
    "x" * 100_000,
    "\x00",
    None,
    True,
    0,
    1.5,
    [],
    ["scripted"],
    {},
    {"kind": "openai", "url": "http://127.0.0.1:9/v1"},
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
]


def assert_clean(ended: Ended, served: Served) -> None:
    for inside in (CANARY, "Traceback", "site-packages", '.py"', str(ROOT), str(served.folder), str(served.kept)):
        assert inside not in ended.said, (inside, ended.said[:2000])


@pytest.mark.parametrize("target", ["broken", "refused", "gone", "gone_by_path"])
def test_a_failing_server_is_told_without_its_key(served: Served, guest: Guest, target: str) -> None:
    ended = guest.call("ask_documents", ["How much does it hold?", {"kettle.txt": "The kettle holds a litre."}, target])
    assert not ended.success
    assert "The server at http://127.0.0.1:" in ended.error
    assert_clean(ended, served)
    assert IN_PATH not in ended.said


def test_the_list_of_models_tells_no_key_and_no_path(served: Served, guest: Guest) -> None:
    ended = guest.call("survey", guest.inputs("survey", target="scripted"))
    assert ended.success
    for name in ("broken", "refused", "gone", "gone_by_path"):
        assert name in ended.said
    assert_clean(ended, served)
    assert IN_PATH not in ended.said


def test_a_server_that_repeats_its_address_is_quoted_without_the_path(guest: Guest) -> None:
    ended = guest.call("survey", guest.inputs("survey", target="scripted"))
    assert "broken_by_path" in ended.said
    assert IN_REPEATED_PATH not in ended.said


def test_the_page_takes_a_target_of_the_catalogue_alone(served: Served, guest: Guest) -> None:
    for target in NO_TARGETS:
        asked = len(served.model.asked)
        ended = guest.ask("Why?", target=target)
        assert not ended.success or "There is no such target" in ended.said, repr(target)[:60]
        assert_clean(ended, served)
        assert len(served.model.asked) == asked, repr(target)[:60]


def test_the_api_takes_a_target_of_the_catalogue_alone(served: Served, guest: Guest) -> None:
    for target in NO_TARGETS:
        asked = len(served.model.asked)
        ended = guest.call("ask_documents", ["What is the exclusion zone?", {}, target])
        assert not ended.success, repr(target)[:60]
        assert_clean(ended, served)
        assert len(served.model.asked) == asked, repr(target)[:60]
