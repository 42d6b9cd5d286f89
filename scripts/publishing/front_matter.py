"""The head of a Space's README, checked against the Hub's rules before the Hub is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from publishing.errors import StageError

COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
SDKS = ("gradio", "docker", "static")
ISOLATION = ("cross-origin-embedder-policy", "cross-origin-opener-policy", "cross-origin-resource-policy")
ZERO_PYTHON = ("3.12.12", "3.10.13")
KNOWN = {
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "app_port",
    "app_build_command", "base_path", "fullWidth", "header", "short_description", "models", "datasets", "tags",
    "thumbnail", "pinned", "license", "hf_oauth", "hf_oauth_scopes", "hf_oauth_expiration_minutes", "disable_embedding",
    "startup_duration_timeout", "custom_headers", "preload_from_hub", "suggested_hardware", "suggested_storage",
}  # fmt: skip
_HEAD = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)


def parse(readme: str) -> dict[str, Any]:
    """The front matter of a README's text; an error if there is none, or if it is no YAML."""
    found = _HEAD.match(readme)
    if not found:
        raise StageError("README.md has no front matter.", "Begin it with a block between two lines of ---.")
    try:
        values = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        raise StageError(f"The front matter of README.md is no YAML ({error}).", "Correct it.") from error
    if not isinstance(values, dict):
        raise StageError("The front matter of README.md holds no settings.", "Write title: … and so on.")
    return values


def for_zero_gpu(readme: str) -> str:
    """The same README with a Python that ZeroGPU has, and its hardware suggested to whoever duplicates the Space."""
    lines = f'python_version: "{ZERO_PYTHON[0]}"\nsuggested_hardware: zero-a10g'
    return re.sub(r"(?m)^python_version:.*$", lines, readme, count=1)


def check(values: dict[str, Any], files: set[str], *, gradio: str | None, zero_gpu: bool) -> list[str]:
    """What is wrong with the front matter; `files` are those that are staged, `gradio` the lock's version."""
    return [*_names(values), *_look(values), *_build(values, files, gradio, zero_gpu), *_rest(values)]


def _names(values: dict[str, Any]) -> Iterator[str]:
    for name in values:
        if name in ("hardware", "secrets", "variables", "sleep_time"):
            yield f"{name} is no front matter: it is set through the API."
        elif name not in KNOWN:
            yield f"{name} is no setting of a Space."
    for name in ("title", "sdk", "license"):
        if not values.get(name):
            yield f"{name} is missing."


def _look(values: dict[str, Any]) -> Iterator[str]:
    for name in ("colorFrom", "colorTo"):
        if name in values and values[name] not in COLOURS:
            yield f"{name} is {values[name]!r}: use one of {', '.join(COLOURS)}."
    short = values.get("short_description", "")
    if len(short) > 60:
        yield f"short_description has {len(short)} characters: 60 are allowed."


def _build(values: dict[str, Any], files: set[str], gradio: str | None, zero_gpu: bool) -> Iterator[str]:
    sdk = values.get("sdk")
    if sdk not in SDKS:
        yield f"sdk is {sdk!r}: use one of {', '.join(SDKS)} (streamlit runs under docker)."
    if sdk == "gradio":
        if not re.fullmatch(r"\d+\.\d+\.\d+", str(values.get("sdk_version", ""))):
            yield f"sdk_version is {values.get('sdk_version')!r}: write all three numbers."
        elif gradio and str(values["sdk_version"]) != gradio:
            yield f"sdk_version is {values['sdk_version']}, the lock has gradio {gradio}."
        if values.get("app_file", "app.py") not in files:
            yield f"app_file names {values.get('app_file', 'app.py')}, which is not there."
    if "app_port" in values and sdk != "docker":
        yield "app_port is for docker only."
    if sdk == "docker":
        if "Dockerfile" not in files:
            yield "sdk is docker, and there is no Dockerfile."
        if values.get("app_port") not in range(1, 65536):
            yield f"app_port is {values.get('app_port')!r}: name the port that the app listens on."
        if zero_gpu:
            yield "sdk is docker: ZeroGPU runs gradio alone."
    python = str(values.get("python_version", "3.10"))
    if not re.fullmatch(r"3\.\d+(\.\d+)?", python):
        yield f"python_version is {python!r}: write 3.x or 3.x.x."
    elif zero_gpu and not any(known == python or known.startswith(f"{python}.") for known in ZERO_PYTHON):
        yield f"python_version is {python}: ZeroGPU has {' and '.join(ZERO_PYTHON)}."


def _rest(values: dict[str, Any]) -> Iterator[str]:
    for name in values.get("custom_headers") or {}:
        if name not in ISOLATION:
            yield f"custom_headers has {name}: only {', '.join(ISOLATION)} can be set."
    for text in values.get("preload_from_hub") or []:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+( [^\s,]+(,[^\s,]+)*( [0-9a-f]{40})?)?", str(text)):
            yield f'preload_from_hub has {text!r}: write "owner/repo file1,file2 sha".'
    timeout = values.get("startup_duration_timeout")
    if timeout is not None and not re.fullmatch(r"\d+(\.\d+)?\s*(s|m|h|d)\w*", str(timeout)):
        yield f"startup_duration_timeout is {timeout!r}: write it like 30m."
