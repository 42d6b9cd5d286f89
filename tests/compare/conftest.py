"""A server with models of known behaviour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compare.servers import Models
from tests.helpers.servers import serving


@pytest.fixture(scope="module", autouse=True)
def short_collections(small_heap: None) -> None:
    """All tests here may measure."""


@pytest.fixture
def models() -> Iterator[Models]:
    with serving(Models()) as running:
        yield running
