"""Starts one of the image's apps: the first argument names it, the others are the app's own options."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

APPS = Path(__file__).resolve().parent
DEFAULT = "chat_rag"


def main(arguments: Sequence[str]) -> NoReturn:
    """Become the app; an app that is not here ends with status 2."""
    named = bool(arguments) and not arguments[0].startswith("-")
    name, options = (arguments[0], arguments[1:]) if named else (DEFAULT, arguments)
    known = {app.parent.name: app for app in sorted(APPS.glob("*/app.py"))}
    if name not in known:
        print(f"error: There is no app {name!r}.\n  There are: {', '.join(known)}.", file=sys.stderr)
        raise SystemExit(2)
    # In place of this process, so that the signal of `docker stop` reaches the app.
    os.execv(sys.executable, [sys.executable, str(known[name]), *options])  # noqa: S606  # a list, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
