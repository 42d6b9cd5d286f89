"""Settings that are whole numbers in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from backends import NotConfigured


def int_setting(name: str, default: int, environment: Mapping[str, str] | None = None, *, least: int = 0) -> int:
    """Return the variable `name` as an integer of at least `least`; raise `NotConfigured` if it isn't one."""
    value = (os.environ if environment is None else environment).get(name, "").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdecimal() and int(value) >= least):
        raise NotConfigured(
            f"{name} is {value!r}; it must be a whole number of at least {least}.",
            f"Set it to a number such as {default}, or unset it.",
        )
    return int(value)
