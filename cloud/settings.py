"""Reads the settings of a deployment: a TOML file, then environment variables, then flags; later ones win."""

from __future__ import annotations

import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from backends import NotConfigured
from backends.settings import read_settings

T = TypeVar("T")


def load(
    cls: type[T], file: Path, prefix: str, flags: Sequence[str], environment: Mapping[str, str] | None = None
) -> T:
    """Return a `cls` from `file`, variables `PREFIX_NAME` and flags `name=value`; `NotConfigured` if one is wrong."""
    values = _read_file(file)
    hints = typing.get_type_hints(cls)
    environment = os.environ if environment is None else environment
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if text := environment.get(f"{prefix}_{field.name.upper()}"):
            values[field.name] = _parse_value(hints[field.name], text)
    for flag in flags:
        name, equals, text = flag.partition("=")
        if not equals:
            raise NotConfigured(f"--set {flag} isn't an assignment.", "Write --set name=value.")
        values[name] = _parse_value(hints.get(name, str), text)
    return read_settings(cls, values)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotConfigured(f"The settings {file} can't be read ({error.strerror}).", "Pass --file PATH.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotConfigured(f"The settings {file} are not valid TOML: {error}.", "Fix that line.") from error


def _parse_value(hint: Any, text: str) -> Any:
    """Parse text as TOML, unless the setting is a string."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if str in options:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # `read_settings` raises the error
