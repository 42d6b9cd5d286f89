"""The page of compatibility is what its stored results say."""

from __future__ import annotations

import json

from tests.conftest import ROOT


def test_the_page_is_written_from_the_results() -> None:
    from compatibility.page import write_page

    results = json.loads((ROOT / "scripts" / "compatibility" / "results.json").read_text())
    assert (ROOT / "docs" / "compatibility.md").read_text() == write_page(results)
    assert len(results["servers"]) >= 4
    assert len(results["clients"]) >= 5
