"""The public part of a run: its figures, without texts, addresses and secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from backends.secret_rules.rules import find_secrets
from compare.errors import RunError
from compare.interactive.shared_runs import without_texts
from compare.runs.records import Failure, Record, Run

# Of a target's settings, these texts say what was measured. Others can be addresses, accounts and paths.
PUBLIC_SETTINGS = ("kind", "model")
ADDRESS = "(address)"
_NAME = re.compile(r"[\w.-]+")
_PATH = re.compile(r"[/~.\\]|[A-Za-z]:[/\\]|file:")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", re.IGNORECASE)


def public_run(run: Run, *, with_texts: bool) -> Run:
    """Return a run without what only its owner should know.

    Questions, answers and reasons stay only `with_texts`. What servers say in errors, settings that aren't numbers, and
    addresses never stay.
    """
    hosts = _hosts(run)
    base = run if with_texts else without_texts(run)
    header = {**base.header, "targets": {name: _public_target(each) for name, each in base.header["targets"].items()}}
    public = Run(
        _public_header(header, hosts),
        [_without_message(record, hosts) for record in base.records],
        base.blocks,
        base.ended,
        {number: replace(score, reason=_without_hosts(score.reason, hosts)) for number, score in base.scores.items()},
        {key: replace(each, reason=_without_hosts(each.reason, hosts)) for key, each in base.judgments.items()},
        base.gpus,
        base.servers,
    )
    _check_names(run)
    return public


def check_secrets(texts: Mapping[str, Any]) -> None:
    """Raise `RunError` if a text looks like a secret; `texts` are values of JSON by the name of their place."""
    for place, text in _strings(dict(texts), ""):
        # The rules read one character per byte.
        secret = next(iter(find_secrets(text.encode("utf-8", "replace").decode("latin-1"))), None)
        if secret:
            raise RunError(
                f"Nothing is published: {place} has what looks like a secret ({secret.rule}).",
                "Remove it from the run, and revoke and replace it.",
            )


def _hosts(run: Run) -> frozenset[str]:
    """Return the hosts of the targets' addresses; one without a dot, such as localhost, is also a word."""
    texts = [text for target in run.header["targets"].values() for _, text in _strings(target.get("settings", {}), "")]
    return frozenset(name for text in texts if "://" in text and "." in (name := _host(text)))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _public_target(target: dict[str, Any]) -> dict[str, Any]:
    settings = {
        key: _without_folder(value)
        for key, value in target.get("settings", {}).items()
        if key in PUBLIC_SETTINGS or isinstance(value, bool | int | float)
    }
    served = {key: _without_folder(target.get("served", {}).get(key)) for key in ("model", "context")}
    return {**target, "settings": settings, "served": served if "served" in target else {}}


def _without_folder(value: Any) -> Any:
    """Return the name of a model that is a path on somebody's machine; other values stay."""
    return re.split(r"[/\\]", value.rstrip("/\\"))[-1] if isinstance(value, str) and _PATH.match(value) else value


def _cleaner(hosts: Collection[str]) -> Callable[[str], str]:
    return lambda text: _URL.sub(ADDRESS, _without_hosts(text, hosts))


def _without_hosts(text: str, hosts: Collection[str]) -> str:
    def replace_host(match: re.Match[str]) -> str:
        name = match[0].rstrip(".-")
        return f"{ADDRESS}{match[0][len(name) :]}" if name.lower() in hosts else match[0]

    return _NAME.sub(replace_host, text)


def _public_header(header: dict[str, Any], hosts: Collection[str]) -> dict[str, Any]:
    """Return a header without addresses; in questions, which can be about one, only the targets' hosts are left out."""
    clean = _cleaner(hosts)
    public: dict[str, Any] = _map_texts({**header, "workload": _without_questions(header["workload"])}, clean)
    if questions := header["workload"].get("questions"):
        public["workload"]["questions"] = _map_texts(questions, lambda text: _without_hosts(text, hosts))
    return {**public, "plan": header["plan"], "loads": header["loads"]}


def _without_questions(workload: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in workload.items() if key != "questions"}


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value of JSON with its texts changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _map_texts(each, change) for key, each in value.items()}
    return [_map_texts(each, change) for each in value] if isinstance(value, list) else value


def _without_message(record: Record, hosts: Collection[str]) -> Record:
    if record.answer is None and record.error is None:
        return record
    answer = None if record.answer is None else _without_hosts(record.answer, hosts)
    return replace(record, answer=answer, error=Failure(record.error.kind, "") if record.error else None)


def _check_names(run: Run) -> None:
    """Raise `RunError` for a target or a load whose name is an address: it stands in every record."""
    clean = _cleaner(_hosts(run))
    for name in (*run.targets, *run.loads):
        if clean(name) != name:
            raise RunError(
                f"The name {name} is an address, which isn't published.", "Give the target another name, and measure."
            )


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield every text in a value of JSON with the name of its place; a name and its value are one text too."""
    if isinstance(value, str):
        yield place or "a text", value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, f"{place}.{key}".strip("."))
            if isinstance(each, str):
                yield f"{place}.{key}".strip("."), json.dumps({str(key): each}, ensure_ascii=False)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each, place)
