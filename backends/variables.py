"""`${NAME}` in the catalogue: replaced by the environment, and hidden where the value may be a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends.errors import NotConfigured

_VARIABLE = re.compile(r"\$\{(\w+)(?::-((?:(?!\$\{)[^}])*+))?\}")
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@|\?[^\s]*")
_SECRET = re.compile(r"key|token|secret|password|credential|authorization", re.IGNORECASE)


def expand(value: Any, environment: Mapping[str, str]) -> Any:
    """`value` with `${NAME}` and `${NAME:-default}` replaced, also inside lists and tables.

    If NAME isn't set, NAME_FILE may name the file that contains the value, as containers mount secrets.
    """
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _lookup(match, environment), value)
    if isinstance(value, list):
        return [expand(item, environment) for item in value]
    if isinstance(value, dict):
        return {key: expand(item, environment) for key, item in value.items()}
    return value


def setting(name: str, environment: Mapping[str, str]) -> str:
    """The variable, or the content of the file that the variable with _FILE names; "" without either."""
    return environment.get(name, "").strip() or _file_content(f"{name}_FILE", environment) or ""


def hide_secrets(key: str, value: Any) -> Any:
    """The setting `key` for a report: secrets become ***, and URLs lose user, password and query."""
    if isinstance(value, dict):
        return {name: hide_secrets(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [hide_secrets(key, item) for item in value]
    if not isinstance(value, str):
        return value
    if _SECRET.search(key):  # the name of a variable is not a secret
        return f"${{{match[1]}}}" if (match := _VARIABLE.fullmatch(value)) else "***"
    return _URL_CREDENTIALS.sub("", value) if "://" in value else value


def _lookup(match: re.Match[str], environment: Mapping[str, str]) -> str:
    name, default = match[1], match[2]
    value = environment.get(name) or _file_content(f"{name}_FILE", environment) or default
    if value is None:
        raise NotConfigured(f"The variable {name} is not set.", f"Set it: export {name}=…")
    return value


def _file_content(variable: str, environment: Mapping[str, str]) -> str | None:
    path = environment.get(variable)
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"{variable} names {path}, which can't be read.", "Mount the secret there.") from error
