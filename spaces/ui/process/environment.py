"""Environment variables that are numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping

from backends import NotConfigured


def int_setting(name: str, default: int, environment: Mapping[str, str] | None = None, *, least: int = 0) -> int:
    """Return the variable `name` as an integer of at least `least`; raise `NotConfigured` if it isn't one."""
    value = text_setting(name, environment)
    if not value:
        return default
    if not (is_number(value) and int(value) >= least):
        raise NotConfigured(
            f"{name} is {value!r}; it must be a whole number of at least {least}.",
            f"Set it to a number such as {default}, or unset it.",
        )
    return int(value)


def text_setting(name: str, environment: Mapping[str, str] | None) -> str:
    """Return the variable without the blanks around it, or "" if it isn't set."""
    return (os.environ if environment is None else environment).get(name, "").strip()


def is_number(text: str) -> bool:
    """Whether the text is a whole number of at least 0, in ASCII digits."""
    return text.isascii() and text.isdecimal()
