"""Fixtures: the dashboard's pages without a browser, with fresh caches for each test."""

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
# `streamlit run` adds its script's folder too. Appended, because other Spaces have an app.py as well.
sys.path.append(str(DASHBOARD))

Page = Callable[[str], AppTest]


@pytest.fixture
def scripted() -> Iterator[ScriptedModel]:
    with serving(ScriptedModel()) as server:
        yield server


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clear caches and settings before the test, and close its event loop after it."""
    from dashboard_pages import resources

    for name in ("PROMETHEUS_URL", "PROMETHEUS_TOKEN", "CATALOG", "DATABASE_URL", "DATABASE_URL_FILE"):
        monkeypatch.delenv(f"SPACEPORT_{name}", raising=False)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    loop = resources.event_loop()
    loop.run(close_connections())
    loop.close()
    st.cache_resource.clear()


@pytest.fixture
def open_page(fresh: None) -> Page:
    return session


def session(name: str) -> AppTest:
    """Run a page once in a new session."""
    return AppTest.from_string(f"from dashboard_pages import {name}\n{name}.page()", default_timeout=60).run()


def catalog_of(folder: Path, url: str, *more: str) -> str:
    """Write a catalogue with the target `scripted` at `url` and other entries; return its path."""
    path = folder / "catalog.toml"
    path.write_text("\n".join([f'[scripted]\nkind = "openai"\nurl = "{url}"\nmodel = "scripted"', *more]))
    return str(path)


def texts(page: AppTest) -> str:
    """Return all text of the page."""
    parts = [*page.markdown, *page.caption, *page.error, *page.warning, *page.info]
    return "\n".join([*(part.value for part in parts), *(part.body for part in page.html)])
