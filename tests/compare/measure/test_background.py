"""Measurements in a background process: progress and errors reach the page as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from compare import run_file
from compare.errors import CompareError
from compare.measure.background import BackgroundRun
from tests.compare.servers import Models


async def test_progress_ends_with_all_requests(models: Models, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    catalog = models.catalog(tmp_path, "steady")
    background = BackgroundRun([f"--catalog={catalog}", "--targets=steady", "--requests=2", "--warmup=0"], out)
    progress = [each async for each in background.run()]
    assert [(each.done, each.total) for each in progress] == [(1, 3), (2, 3), (3, 3)]
    assert run_file.read(out).ended == "finished"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--targets=stedy", "stedy"),
        ("--concurrency=0", "Can't measure concurrency 0."),
        ("--no-such-option", "ended unexpectedly"),
    ],
)
async def test_an_error_keeps_its_message_and_remedy(
    models: Models, tmp_path: Path, argument: str, message: str
) -> None:
    catalog = models.catalog(tmp_path, "steady")
    background = BackgroundRun([f"--catalog={catalog}", "--targets=steady", argument], tmp_path / "run.jsonl")
    with pytest.raises(CompareError) as caught:
        [each async for each in background.run()]
    assert message in caught.value.message
    assert caught.value.remedy
