"""JSON schemas of answers: whether a schema is one, and whether an answer is valid."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from rag.errors import RagError

_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})


def check_schema(schema: object, place: str) -> None:
    """Raise `RagError` if a value isn't a JSON schema; None means that no schema is needed."""
    if schema is None:
        return
    _library()
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for
    from referencing.exceptions import Unresolvable

    remedy = 'Write a JSON schema, such as {"type": "object", "required": ["answer"]}.'
    if not isinstance(schema, dict | bool):
        raise RagError(f'{place}: "schema" isn\'t a JSON schema but {type(schema).__name__}.', remedy)
    try:
        validator_for(schema).check_schema(schema)
        _validator(schema).is_valid({})
        _check_references(schema)
    except (SchemaError, Unresolvable, RecursionError) as error:
        reason = error.message if isinstance(error, SchemaError) else str(error) or type(error).__name__
        raise RagError(f'{place}: "schema" isn\'t a JSON schema ({reason}).', remedy) from error


def is_well_formed(answer: str, schema: Any) -> bool | None:
    """Return whether an answer is JSON that is valid by a schema; None without one."""
    if schema is None:
        return None
    from referencing.exceptions import Unresolvable

    try:
        value = json.loads(answer, parse_constant=_refuse)
        return bool(_validator(schema).is_valid(value))
    except (ValueError, ArithmeticError, RecursionError, Unresolvable):  # 1e400 isn't a multiple of 0.01
        return False


def _validator(schema: Any) -> Any:
    """Return a validator that follows references inside of the schema, and fetches none."""
    from jsonschema.validators import validator_for
    from referencing import Registry

    return validator_for(schema)(schema, registry=Registry())


def _check_references(schema: Any) -> None:
    """Raise `Unresolvable` if any part of a schema refers to what isn't in the schema."""
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012, specification_with

    resource = specification_with(str(_dialect(schema)), default=DRAFT202012).create_resource(schema)
    pending = [(resource, Registry().resolver_with_root(resource))]
    while pending:
        part, resolver = pending.pop()
        if isinstance(part.contents, dict):
            for key in _REFERENCES & part.contents.keys():
                resolver.lookup(part.contents[key])
        pending += [(each, resolver.in_subresource(each)) for each in part.subresources()]


def _dialect(schema: Any) -> Any:
    return schema.get("$schema", "") if isinstance(schema, dict) else ""


def _library() -> None:
    try:
        import jsonschema  # noqa: F401
    except ImportError as error:
        raise RagError(
            "A question has a schema, and jsonschema isn't installed.", "Install it: pip install 'spaceport[schemas]'."
        ) from error


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON doesn't have."""
    raise ValueError(constant)
