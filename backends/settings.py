"""Reads a target's settings into a dataclass, with errors that name the valid settings."""

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
    """The argument of `connect(settings)`: the target's settings, its name, and `connect` for other targets."""

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
    """Make a `cls` from the settings; `NotConfigured` if one is misspelt, missing or of the wrong type."""
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    for name, value in settings.items():
        if name not in fields:
            raise _unknown_setting(name, sorted(fields, key=lambda each: fields[each].kw_only is True))
        if not _matches(value, hints[name]):
            raise NotConfigured(
                f"The setting {name} is {value!r}; expected {_type_name(hints[name])}.", "Fix it in the catalogue."
            )
    missing = [name for name, field in fields.items() if _is_required(field) and name not in settings]
    if missing:
        raise NotConfigured(f"The setting {missing[0]} is missing.", f"Add {missing[0]} = … to the target.")
    return cls(**{name: float(value) if hints[name] is float else value for name, value in settings.items()})


def require_package(module: str, *, extra: str) -> None:
    """Raise `NotConfigured` with the command to run if the package of a kind isn't installed."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # the parent package of a submodule isn't installed
        spec = None
    if spec is None:
        raise NotConfigured(f"The package {module} is not installed.", f"Install it: pip install 'spaceport[{extra}]'")


def _unknown_setting(name: str, valid: list[str]) -> NotConfigured:
    close = difflib.get_close_matches(name, valid, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return NotConfigured(f"There is no setting {name!r}.", f"{hint}The settings are: {', '.join(valid)}.")


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _matches(value: Any, hint: Any) -> bool:
    if isinstance(hint, types.UnionType):
        return any(_matches(value, option) for option in typing.get_args(hint))
    origin = typing.get_origin(hint) or hint
    if origin is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin is list:
        item = typing.get_args(hint)[0]
        return isinstance(value, list) and all(_matches(each, item) for each in value)
    return hint is Any or isinstance(value, origin)


def _type_name(hint: Any) -> str:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list"}
    return " or ".join(
        names.get(typing.get_origin(option) or option, "a table") for option in options if option is not type(None)
    )
