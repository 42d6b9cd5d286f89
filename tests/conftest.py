"""What tests of several folders need: the test data, and real parts that must not be missing in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("SPACEPORT_TEST_DATA", ROOT.parent / "shared" / "data"))


def missing(what: str) -> None:
    """Skip with the reason on a user's machine, fail in CI, where every real part has to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"CI needs {what}")
    pytest.skip(f"{what} is not here")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        missing("chromium (apt-get install chromium)")
    return str(found)
