"""What a stored run must look like: it may come from a visitor, and a report trusts what it reads."""

from __future__ import annotations

from typing import Any

NUMBER = (int, float)
HEADER: dict[str, Any] = {
    "id": str,
    "started": str,
    "loads": [str],
    "plan": {"targets": [str], "seed": int, "requests": int, "warmup": int},
    "workload": {"name": str, "description": str, "hash": str, "prompts": int},
    "environment": {"python": str, "system": str, "processors": int, "packages": dict},
    "targets": dict,
}
REQUEST: dict[str, Any] = {
    "target": str,
    "load": str,
    "block": int,
    "phase": str,
    "prompt": int,
    "intended": NUMBER,
    "sent": NUMBER,
    "ended": NUMBER,
}
BLOCK: dict[str, Any] = {
    "target": str,
    "load": str,
    "block": int,
    "started": NUMBER,
    "seconds": NUMBER,
    "cpu_seconds": NUMBER,
    "lags": [NUMBER],
}


def check(value: Any, wanted: Any, name: str = "it") -> None:
    """Raise `TypeError` that names the first part of `value` that is missing or of another type."""
    if isinstance(wanted, dict):
        check(value, dict, name)
        for key, inner in wanted.items():
            if key not in value:
                raise TypeError(f"{key} is missing")
            check(value[key], inner, key)
    elif isinstance(wanted, list):
        check(value, list, name)
        for each in value:
            check(each, wanted[0], name)
    elif not isinstance(value, wanted) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r:.40}")


def check_header(header: dict[str, Any]) -> None:
    """Check the first line of a run, and that it describes each target that it names."""
    check(header, HEADER)
    for name in header["plan"]["targets"]:
        if name not in header["targets"]:
            raise TypeError(f"the target {name} is not described")
        check(header["targets"][name], {"settings": dict}, name)
