"""The icon of all Spaces."""

from __future__ import annotations

from pathlib import Path

ICON = Path(__file__).with_name("icon.png")
