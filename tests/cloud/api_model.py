"""Whether a call is one that AWS's own service models allow: names, types, bounds, patterns and enumerations."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from cloud.calls import Call

_session = botocore.session.get_session()


def problems(call: Call) -> list[str]:
    """What is wrong with it; empty if nothing is."""
    model = _session.get_service_model(call.service)
    if call.operation not in model.operation_names:
        return [f"{call.service} has no {call.operation}"]
    shape = model.operation_model(call.operation).input_shape
    report = ParamValidator().validate(dict(call.payload), shape)
    return ([report.generate_report()] if report.has_errors() else []) + list(
        _values(call.payload, shape, call.operation)
    )


def _values(value: Any, shape: Any, where: str) -> Any:
    """botocore looks at names, types and lower bounds only."""
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


def _text(value: str, told: Mapping[str, Any], enum: Any, where: str) -> Any:
    if enum and value not in enum:
        yield f"{where} is {value!r}, none of {enum}"
    if "pattern" in told and not _fits(value, told["pattern"]):
        yield f"{where} is {value!r}, which is not {told['pattern']}"
    if len(value) > told.get("max", len(value)):
        yield f"{where} is longer than {told['max']}"


def _fits(value: str, pattern: str) -> bool:
    """Java's patterns are nearly Python's; one that Python does not know is passed over."""
    with warnings.catch_warnings(), contextlib.suppress(re.error):
        warnings.simplefilter("ignore", FutureWarning)
        return bool(re.fullmatch(pattern, value))
    return True
