"""Measurements in a background process: progress and errors reach the page as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from compare.errors import CompareError
from compare.measure.background import BackgroundRun
from compare.runs import run_file
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


@pytest.mark.parametrize("text", ["", "[steady", '[steady]\nurl = "x"', '[other]\nkind = "openai"'])
async def test_an_error_about_the_catalogue_names_its_file_without_the_folder(tmp_path: Path, text: str) -> None:
    """The page shows the error to visitors."""
    catalog = tmp_path / "my targets.toml"
    catalog.write_text(text)
    await assert_hidden_folder([f"--catalog={catalog}"], tmp_path, "my targets.toml")


async def test_an_error_about_a_missing_catalogue_names_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await assert_hidden_folder([f"--catalog={tmp_path / 'gone.toml'}"], tmp_path, "gone.toml")
    monkeypatch.setenv("SPACEPORT_CATALOG", str(tmp_path / "unset.toml"))
    await assert_hidden_folder([], tmp_path, "unset.toml")


async def assert_hidden_folder(arguments: list[str], folder: Path, name: str) -> None:
    background = BackgroundRun([*arguments, "--targets=steady"], folder / "run.jsonl")
    with pytest.raises(CompareError) as caught:
        [each async for each in background.run()]
    assert name in str(caught.value)
    assert str(folder) not in str(caught.value)
