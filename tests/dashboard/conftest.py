"""The dashboard's pages without a browser, on servers of known behaviour; and what they share, new for each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from backends.http.connections import close_connections
from tests.compare.conftest import models
from tests.conftest import ROOT
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import serving

__all__ = ["models"]  # fixtures
DASHBOARD = ROOT / "spaces" / "dashboard"
# `streamlit run` puts the folder of its script there. At the end: other Spaces have an app.py too.
sys.path.append(str(DASHBOARD))

Page = Callable[[str], AppTest]


@pytest.fixture
def scripted() -> Iterator[ScriptedModel]:
    with serving(ScriptedModel()) as running:
        yield running


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of an earlier test is cached or set, and the loop of this one ends with it."""
    import shared

    for name in ("SPACEPORT_PROMETHEUS_URL", "SPACEPORT_PROMETHEUS_TOKEN", "SPACEPORT_CATALOG"):
        monkeypatch.delenv(name, raising=False)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    loop = shared.loop()
    loop.result(close_connections())
    loop.close()
    st.cache_resource.clear()


@pytest.fixture
def open_page(fresh: None) -> Page:
    """One page as a session of its own, run once."""

    return session


def session(name: str) -> AppTest:
    """A page as a new session sees it."""
    return AppTest.from_string(f"import {name}\n{name}.page()", default_timeout=60).run()


def catalog_of(folder: Path, url: str, *more: str) -> str:
    """A catalogue with the target `scripted` at an address, and other entries."""
    path = folder / "catalog.toml"
    path.write_text("\n".join([f'[scripted]\nkind = "openai"\nurl = "{url}"\nmodel = "scripted"', *more]))
    return str(path)


def texts(page: AppTest) -> str:
    """All that the page says in Markdown, errors and HTML."""
    parts = [*page.markdown, *page.caption, *page.error, *page.warning, *page.info]
    return "\n".join([*(part.value for part in parts), *(part.body for part in page.html)])
