"""Office files, pages and messages that attack their reader: each is read or refused, and others don't notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import DocumentError
from rag.reading.parse import read_document
from rag.reading.processes.limits import ProcessLimits
from rag.reading.processes.pool import ReaderPool
from tests.security import hostile_office

LIMITS = ProcessLimits(memory_mb=600, cpu_seconds=1, output_mb=16)  # low, so that the tests are fast


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(1, LIMITS)
    yield pool
    pool.close()


@pytest.mark.parametrize("what", hostile_office.FILES)
def test_an_attack_is_read_or_refused_in_one_line(what: str, pool: ReaderPool, tmp_path: Path) -> None:
    create, name = hostile_office.FILES[what]
    path = tmp_path / name
    path.write_bytes(create())
    try:
        document = pool.run(read_document, name, path=path)
        assert len(document.text) < 10_000_000
    except DocumentError as error:
        assert name in error.message
        assert error.remedy
        assert "\n" not in str(error)
    honest = tmp_path / "key.txt"
    honest.write_text("The spare key hangs behind the blue door.")
    assert pool.run(read_document, "key.txt", path=honest).text.startswith("The spare key")


def test_formatted_rows_are_removed_before_they_are_parsed(pool: ReaderPool, tmp_path: Path) -> None:
    pool._limits = replace(LIMITS, cpu_seconds=2)  # with all its rows it takes longer
    path = tmp_path / "a.xlsx"
    path.write_bytes(hostile_office.empty_rows())
    assert "| Skarv | 14 |" in pool.run(read_document, "a.xlsx", path=path).text
