"""The server's routes with who may call them; `scripts/list_routes.py` prints them beside those of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inference.app import create_app
from inference.service import Service
from inference.settings import Settings


def installed_routes() -> Iterator[tuple[str, str, str]]:
    """Yield the path, the method and the caller of each route: "everybody" or "who has the key"."""
    for route in create_app(Service(Settings())).routes:
        for method in sorted(getattr(route, "methods", None) or {"GET"}):
            yield getattr(route, "path", ""), method, _caller(route)


def _caller(route: Any) -> str:
    dependant = getattr(route, "dependant", None)
    names = [each.call.__name__ for each in dependant.dependencies if each.call] if dependant else []
    return "who has the key" if "authorize" in names else "everybody"
