"""Which tests share a process, and which ones a selection leaves out."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.helpers.groups import is_left_out

QUICK = "not browser and not containers and not models and not time"


@pytest.mark.parametrize(
    ("module", "selection", "expected"),
    [
        ("tests/app/test_compare.py", QUICK, True),
        ("tests/app", QUICK, True),
        ("tests", QUICK, False),
        ("tests/rag/reading/test_chunk.py", QUICK, False),
        ("tests/app/test_compare.py", "not containers", False),
        ("tests/app/test_compare.py", "", False),
        ("tests/app/test_compare.py", "browser", False),
        ("tests/app/test_compare.py", "not browser or time", False),
        ("tests/app/test_compare.py", "not (browser and time)", False),
        ("tests/app/test_compare.py", "models and not browser", True),
    ],
)
def test_modules_are_left_out_by_their_path(module: str, selection: str, expected: bool) -> None:
    assert is_left_out(module, selection) is expected


def test_the_selection_of_make_quick_leaves_modules_out() -> None:
    selection = re.search(r'-m "(.+)"', (ROOT / "Makefile").read_text())
    assert selection
    assert is_left_out("tests/app/test_compare.py", selection[1])
