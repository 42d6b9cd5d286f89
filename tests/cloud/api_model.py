"""Validates calls against AWS's own service models: names, types, bounds, patterns and enumerations."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from cloud.calls import ApiCall

_session = botocore.session.get_session()


def problems(call: ApiCall) -> list[str]:
    """Return the problems of a call."""
    model = _session.get_service_model(call.service)
    if call.operation not in model.operation_names:
        return [f"{call.service} has no {call.operation}"]
    shape = model.operation_model(call.operation).input_shape
    report = ParamValidator().validate(dict(call.payload), shape)
    return ([report.generate_report()] if report.has_errors() else []) + list(
        _values(call.payload, shape, call.operation)
    )


def _values(value: Any, shape: Any, where: str) -> Any:
    """Yield the problems that botocore's own validation, of names, types and lower bounds, doesn't find."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from _values(value[name], member, f"{where}.{name}")
    elif shape.type_name == "list":
        for number, each in enumerate(value):
            yield from _values(each, shape.member, f"{where}[{number}]")
    elif shape.type_name == "map":
        for key, each in value.items():
            yield from _values(each, shape.value, f"{where}.{key}")
    elif isinstance(value, str):
        yield from _text(value, shape.metadata, getattr(shape, "enum", None), where)
    elif isinstance(value, (int, float)) and value > shape.metadata.get("max", value):
        yield f"{where} is {value}, above {shape.metadata['max']}"


def _text(value: str, constraints: Mapping[str, Any], enum: Any, where: str) -> Any:
    if enum and value not in enum:
        yield f"{where} is {value!r}, none of {enum}"
    if "pattern" in constraints and not _fits(value, constraints["pattern"]):
        yield f"{where} is {value!r}, which is not {constraints['pattern']}"
    if len(value) > constraints.get("max", len(value)):
        yield f"{where} is longer than {constraints['max']}"


def _fits(value: str, pattern: str) -> bool:
    """Match one of Java's patterns, which are almost Python's; a pattern that Python doesn't know always matches."""
    with warnings.catch_warnings(), contextlib.suppress(re.error):
        warnings.simplefilter("ignore", FutureWarning)
        return bool(re.fullmatch(pattern, value))
    return True
