"""A staged Space that runs as the Hub would run it, with this test process' share of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from publishing.staged_run import run_app
from publishing.staging.stage import StagedSpace
from rag.search.embedding.embedders import RUNTIME

SHARE = (RUNTIME, "OMP_NUM_THREADS")


@contextmanager
def running_staged(space: StagedSpace, python: Path) -> Iterator[str]:
    """Run a staged app as a trial does, and yield its address.

    Without these settings, which a trial doesn't inherit, each app would import torch and use all processors.
    """
    share = {name: os.environ[name] for name in SHARE if name in os.environ}
    with run_app(replace(space, variables={**share, **space.variables}), python) as url:
        yield url
