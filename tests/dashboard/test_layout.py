"""The family's look: Streamlit's colours are those of the theme, and a text is shown as it was written."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

import layout as look
from compare.measure.workload import MAX_FILE_BYTES
from tests.dashboard.conftest import DASHBOARD
from ui import theme
from ui.markdown import ZERO_WIDTH_SPACE

CONFIG: dict[str, Any] = tomllib.loads((DASHBOARD / ".streamlit" / "config.toml").read_text())
CSS: str = theme.theme()._get_theme_css()


def gradio(name: str) -> tuple[str, str]:
    """A variable of the theme in light and in dark."""
    light, dark = (re.findall(rf"--{name}: ([^;]*);", CSS) * 2)[:2]
    return resolved(light), resolved(dark)


def resolved(value: str) -> str:
    while found := re.fullmatch(r"var\(--([\w-]+)\)", value):
        value = re.findall(rf"--{found[1]}: ([^;]*);", CSS)[0]
    return {"white": "#ffffff"}.get(value, value)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("backgroundColor", "body-background-fill"),
        ("textColor", "body-text-color"),
        ("borderColor", "border-color-primary"),
        ("linkColor", "link-text-color"),
    ],
)
def test_streamlits_colours_are_the_familys(key: str, name: str) -> None:
    assert (CONFIG["theme"]["light"][key], CONFIG["theme"]["dark"][key]) == gradio(name)


@pytest.mark.parametrize("name", look.NEUTRAL)
def test_what_the_familys_css_takes_from_gradio(name: str) -> None:
    assert look.NEUTRAL[name] == gradio(name.removeprefix("--"))


def test_the_accent_is_the_primary_colour() -> None:
    accents = re.findall(r"--sp-accent: (#\w+);", theme.CSS)
    assert [CONFIG["theme"][mode]["primaryColor"] for mode in ("light", "dark")] == accents
    assert f"--sp-accent: light-dark({accents[0]}, {accents[1]});" in look.css()


def test_nothing_is_told_to_others() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["server"]["maxUploadSize"] == MAX_FILE_BYTES // 1_000_000
    assert "http" not in str(CONFIG["theme"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It costs $5, not $7.", r"It costs \$5, not \$7."),
        ("`$5` and $x$", "`$5` and $x$"),
        (r"\$5", r"\$5"),
        ("![x](http://tracker.invalid)", f"!{ZERO_WIDTH_SPACE}[x](http://tracker.invalid)"),
        ("<img src=x>", f"<{ZERO_WIDTH_SPACE}img src=x>"),
    ],
)
def test_a_models_text(text: str, shown: str) -> None:
    assert look.markdown(text) == shown
