"""Runs that are shared by link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends import Catalog
from compare.analyse.caveats import find_caveats
from compare.errors import RunError
from compare.interactive import shared_runs
from compare.interactive.service import ComparisonService
from compare.interactive.shared_runs import SharedRuns
from compare.report.files.requests_csv import requests_csv
from compare.report.words.caveat_text import caveat_text
from compare.runs import run_file
from tests.compare.make_runs import build_run, failure, record, simulate
from tests.conftest import ROOT


def test_a_shared_run_comes_back_for_another_visitor(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text("")
    service = ComparisonService(Catalog.load(catalog), ROOT / "spaces" / "platform_compare" / "results")
    service.shared_runs = SharedRuns(tmp_path / "shared")
    one, other = service.visitors.get("one"), service.visitors.get("other")
    run_file.write(simulate({"a": 1.0, "b": 2.0}, rounds=4), path := one.new_file("run"))
    name = one.add_run("mine", path)
    link = service.share_run(one, name)
    assert link == service.share_run(one, name)
    assert len(link) == 24
    opened = service.open_shared_run(other, link)
    assert opened.startswith("a vs b")
    assert service.load_run(other, opened).records == service.load_run(one, name).records
    example = next(iter(service.examples))
    assert service.open_shared_run(other, service.share_run(other, example)) == example
    assert not (tmp_path / "shared" / "laptop-vs-torch-two-cores.jsonl").exists()


def test_an_error_is_shared_without_what_the_server_said(tmp_path: Path) -> None:
    """Some servers quote the prompt."""
    shared = SharedRuns(tmp_path)
    run = build_run(
        record(0.1),
        failure("Rejected", "Too long: 'my secret'", "Shorten 'my secret'."),
        failure("Rejected", "Too long: 'my secret'", target="b"),
    )
    text = shared.find(shared.share(run)).read_text()
    assert "secret" not in text
    read = run_file.parse(text.splitlines(), "shared")
    assert [caveat_text(each) for each in find_caveats(read)][:2] == [
        "a: 1 of 2 requests failed (1 Rejected). First error: Rejected.",
        "b: every request failed. First error: Rejected.",
    ]
    assert ",Rejected," in requests_csv(read)
    assert "secret" in shared.find(shared.share(run, with_texts=True)).read_text()


@pytest.mark.parametrize("link", ["", "0" * 24, "../../etc/passwd", "x" * 24, "0" * 5000, "<b>"])
def test_a_link_without_a_run(tmp_path: Path, link: str) -> None:
    with pytest.raises(RunError, match="isn't here any more"):
        SharedRuns(tmp_path).find(link)


def test_a_link_from_an_older_version_says_so(tmp_path: Path) -> None:
    shared = SharedRuns(tmp_path)
    run = simulate({"a": 1.0})
    run.header["version"] = 0
    with pytest.raises(RunError, match="format version 0; this program reads"):
        run_file.read(shared.find(shared.share(run)))


def test_of_too_many_runs_those_opened_longest_ago_are_removed(tmp_path: Path) -> None:
    shared = SharedRuns(tmp_path)
    for number in range(shared_runs.MAX_RUNS):
        os.utime(_empty(tmp_path / f"{number:024x}.jsonl"), (number, number))
    shared.find(f"{0:024x}")  # opened now
    name = shared.share(simulate({"a": 1.0}))
    assert len(list(tmp_path.iterdir())) == shared_runs.MAX_RUNS
    assert not (tmp_path / f"{1:024x}.jsonl").exists()
    assert shared.find(f"{0:024x}")
    assert shared.find(name)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="can't be shared"):
        SharedRuns(tmp_path / "file" / "runs").share(simulate({"a": 1.0}))


def _empty(path: Path) -> Path:
    path.touch()
    return path
