from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import serving


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    """A server whose behaviour is in the question."""
    with serving(ScriptedModel()) as model:
        yield model
