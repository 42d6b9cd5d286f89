"""Starts one of the image's apps: the first argument names it, the rest are the app's options."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

FOLDER = Path(__file__).resolve().parent
DEFAULT = "chat_rag"


def main(arguments: Sequence[str]) -> NoReturn:
    """Replace this process with the app; exits with 2 for an unknown app."""
    has_name = bool(arguments) and not arguments[0].startswith("-")
    name, options = (arguments[0], arguments[1:]) if has_name else (DEFAULT, arguments)
    apps = {app.parent.name: app for app in sorted(FOLDER.glob("*/app.py"))}
    if name not in apps:
        print(f"error: There is no app {name!r}.\n  There are: {', '.join(apps)}.", file=sys.stderr)
        raise SystemExit(2)
    # Replaces this process, so that the signal of `docker stop` reaches the app.
    os.execv(sys.executable, [sys.executable, str(apps[name]), *options])  # noqa: S606  # a list, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
