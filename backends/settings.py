"""Reads a target's settings into a dataclass, with errors that name the right ones."""

from __future__ import annotations

import dataclasses
import difflib
import importlib.util
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from backends.errors import NotConfigured

T = TypeVar("T")


class TargetSettings(Mapping[str, Any]):
    """What `connect(settings)` is given: the target's own settings, its name, and a way to its neighbours."""

    def __init__(self, name: str, values: Mapping[str, Any], connect: Callable[[str], Any]) -> None:
        self.name = name
        self.connect = connect
        self._values = dict(values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def read_settings(cls: type[T], settings: Mapping[str, Any]) -> T:
    """Make a `cls` of the settings; `NotConfigured` for one that is misspelt, missing or of a wrong type."""
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    for name, value in settings.items():
        if name not in fields:
            raise _unknown(name, list(fields))
        if not _fits(value, hints[name]):
            raise NotConfigured(
                f"The setting {name} is {value!r}, which is no {_words(hints[name])}.", "Correct it in the catalogue."
            )
    required = [name for name, field in fields.items() if _required(field) and name not in settings]
    if required:
        raise NotConfigured(f"The setting {required[0]} is missing.", f"Add {required[0]} = … to the target.")
    return cls(**{name: float(value) if hints[name] is float else value for name, value in settings.items()})


def require(module: str, *, extra: str) -> None:
    """Raise `NotConfigured` with the command to type if a kind's package is not installed."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # of a module inside a package that is not there
        found = None
    if found is None:
        raise NotConfigured(f"The package {module} is not installed.", f"Install it: pip install 'spaceport[{extra}]'")


def _unknown(name: str, known: list[str]) -> NotConfigured:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return NotConfigured(f"There is no setting {name!r}.", f"{hint}The settings are: {', '.join(known)}.")


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _fits(value: Any, hint: Any) -> bool:
    if isinstance(hint, types.UnionType):
        return any(_fits(value, option) for option in typing.get_args(hint))
    origin = typing.get_origin(hint) or hint
    if origin is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin is list:
        item = typing.get_args(hint)[0]
        return isinstance(value, list) and all(_fits(each, item) for each in value)
    return hint is Any or isinstance(value, origin)


def _words(hint: Any) -> str:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", list: "list"}
    told = [names.get(typing.get_origin(option) or option, "table") for option in options if option is not type(None)]
    return " or ".join(told)
