"""The layout: Streamlit's colours are those of the shared theme, and a model's Markdown is safe."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from compare.measure.workloads.workload import MAX_FILE_BYTES
from dashboard_pages import layout
from tests.conftest import ROOT
from tests.dashboard.conftest import DASHBOARD
from ui import theme
from ui.markdown import ZERO_WIDTH_SPACE

CONFIG: dict[str, Any] = tomllib.loads((DASHBOARD / ".streamlit" / "config.toml").read_text())
CSS: str = theme.theme()._get_theme_css()


def gradio(name: str) -> tuple[str, str]:
    """Return a variable of the theme in light and in dark."""
    light, dark = (re.findall(rf"--{name}: ([^;]*);", CSS) * 2)[:2]
    return resolve(light), resolve(dark)


def resolve(value: str) -> str:
    while match := re.fullmatch(r"var\(--([\w-]+)\)", value):
        value = re.findall(rf"--{match[1]}: ([^;]*);", CSS)[0]
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
def test_streamlits_colours_are_those_of_the_theme(key: str, name: str) -> None:
    assert (CONFIG["theme"]["light"][key], CONFIG["theme"]["dark"][key]) == gradio(name)


@pytest.mark.parametrize("name", layout.NEUTRAL_COLOURS)
def test_the_neutral_colours_are_those_of_gradio(name: str) -> None:
    assert layout.NEUTRAL_COLOURS[name] == gradio(name.removeprefix("--"))


def test_the_accent_is_the_primary_colour() -> None:
    accents = re.findall(r"--sp-accent: (#\w+);", theme.CSS)
    assert [CONFIG["theme"][mode]["primaryColor"] for mode in ("light", "dark")] == accents
    assert f"--sp-accent: light-dark({accents[0]}, {accents[1]});" in layout.css()


def test_all_text_has_one_of_six_sizes() -> None:
    sizes = re.findall(r"--sp-text-\w+: ([\d.]+)rem", theme.TYPE_SCALE)
    assert len(sizes) == 6
    assert theme.TYPE_SCALE in layout.css()
    headings = [float(size.removesuffix("rem")) for size in CONFIG["theme"]["headingFontSizes"]]
    assert {*headings} <= {*map(float, sizes)}
    folders = [ROOT / "spaces" / name for name in ("ui", "platform_compare", "vision", "dashboard")]
    for path in (path for folder in folders for path in folder.rglob("*") if path.suffix in (".css", ".py", ".html")):
        assert not re.findall(r"font-size: ?[\d.]+(?:rem|px)", path.read_text()), path
    for path in (ROOT / "spaces" / "chat_rag").rglob("*.css"):
        assert {*re.findall(r"font-size: ?([\d.]+)rem", path.read_text())} <= {*sizes}, path


def test_the_configuration_sends_nothing_to_others() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["server"]["maxUploadSize"] == MAX_FILE_BYTES // 1_000_000
    assert "http" not in str(CONFIG["theme"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs $5, not $7.", r"It costs \$5, not \$7."),
        ("`$5` and $x$", "`$5` and $x$"),
        (r"\$5", r"\$5"),
        ("![x](http://tracker.invalid)", f"!{ZERO_WIDTH_SPACE}[x](http://tracker.invalid)"),
        ("<img src=x>", f"<{ZERO_WIDTH_SPACE}img src=x>"),
    ],
)
def test_markdown_of_a_model(text: str, expected: str) -> None:
    assert layout.markdown(text) == expected
