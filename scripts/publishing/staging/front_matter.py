"""Reads the metadata of a Space's README and checks it against the Hub's rules without a request."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import yaml
from huggingface_hub import RepoCard

from publishing.errors import StageError

COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
SDKS = ("gradio", "docker", "static")
ISOLATION_HEADERS = (
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
)
ZERO_GPU_PYTHONS = ("3.12.12", "3.10.13")
KNOWN_KEYS = {
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "app_port",
    "app_build_command", "base_path", "fullWidth", "header", "short_description", "models", "datasets", "tags",
    "thumbnail", "pinned", "license", "hf_oauth", "hf_oauth_scopes", "hf_oauth_expiration_minutes",
    "hf_oauth_authorized_org", "disable_embedding", "startup_duration_timeout",
    "custom_headers", "preload_from_hub", "suggested_hardware", "suggested_storage",
}  # fmt: skip
LISTS = ("tags", "models", "datasets", "hf_oauth_scopes", "preload_from_hub")
SWITCHES = ("pinned", "fullWidth", "hf_oauth", "disable_embedding")
TEXTS = ("title", "short_description", "app_file", "thumbnail", "base_path")
_KEYCAP = "\N{COMBINING ENCLOSING KEYCAP}"  # the end of an emoji such as 1️⃣, which begins with a digit


def parse(readme: str) -> dict[str, Any]:
    """Return the front matter of a README's text; `StageError` if there is none or it isn't valid YAML."""
    if readme.startswith("\ufeff"):
        raise StageError(
            "README.md begins with a byte order mark: the Hub would not find its front matter.",
            "Save it as UTF-8 without BOM.",
        )
    values: dict[str, Any] = _card(readme).data.to_dict()
    if not values:
        raise StageError("README.md has no front matter.", "Begin it with a block between two lines of ---.")
    return values


def for_zero_gpu(readme: str) -> str:
    """Return the README with a Python version that ZeroGPU has, and ZeroGPU as the suggested hardware."""
    card = _card(readme)
    card.data.python_version = ZERO_GPU_PYTHONS[0]
    card.data.suggested_hardware = "zero-a10g"
    return str(card)


def with_page(readme: str, title: str, description: str) -> str:
    """Return the README with another title and short description; its first heading has the title, too."""
    card = _card(readme)
    card.data.title, card.data.short_description = title, description
    card.text = re.sub(r"^# .*$", lambda _: f"# {title}\n\n{description}.", card.text, count=1, flags=re.MULTILINE)
    return str(card)


def with_thumbnail(readme: str, address: str) -> str:
    """Return the README with the address of the picture with which the Hub shows a link to the Space."""
    card = _card(readme)
    card.data.thumbnail = address
    return str(card)


def check(values: dict[str, Any], files: set[str], *, gradio: str | None, zero_gpu: bool) -> list[str]:
    """Return the problems of the front matter; `files` are the staged ones, `gradio` is the lock's version."""
    return [*_check_keys(values), *_check_card(values), *_check_build(values, files, gradio, zero_gpu),
            *_check_python(values, zero_gpu), *_check_options(values)]  # fmt: skip


def _card(readme: str) -> RepoCard:
    try:
        return RepoCard(readme)
    except (ValueError, TypeError, yaml.YAMLError) as error:  # a TypeError: a key that isn't a text
        raise StageError(f"The front matter of README.md isn't valid YAML ({error}).", "Fix it.") from error


def _check_keys(values: dict[str, Any]) -> Iterator[str]:
    for name in values:
        if name in ("hardware", "secrets", "variables", "sleep_time"):
            yield f"{name} isn't front matter: set it through the API."
        elif name not in KNOWN_KEYS:
            yield f"{name} isn't a setting of a Space."
    for name in ("title", "sdk", "license"):
        if not values.get(name):
            yield f"{name} is missing."


def _check_card(values: dict[str, Any]) -> Iterator[str]:
    yield from _check_types(values)
    for name in ("colorFrom", "colorTo"):
        if name in values and values[name] not in COLOURS:
            yield f"{name} is {values[name]!r}: use one of {', '.join(COLOURS)}."
    description = values.get("short_description")
    if isinstance(description, str) and len(description) > 60:
        yield f"short_description has {len(description)} characters: 60 are allowed."
    if "emoji" in values and not _is_emoji(values["emoji"]):
        yield f"emoji is {values['emoji']!r}: use an emoji, and nothing else."


def _check_types(values: dict[str, Any]) -> Iterator[str]:
    """Yield the values that have another type than the Hub expects; YAML reads 5 as a number and yes as true."""
    for name in TEXTS:
        if name in values and not (isinstance(values[name], str) and values[name].strip()):
            yield f"{name} is {values[name]!r}: write a text, in quotes if it looks like a number."
    for name in LISTS:
        value = values.get(name, [])
        if not (isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)):
            yield f"{name} is {value!r}: write a list of texts, one a line with a dash."
    for name in SWITCHES:
        if not isinstance(values.get(name, False), bool):
            yield f"{name} is {values[name]!r}: write true or false."
    if not isinstance(values.get("custom_headers", {}), dict):
        yield f"custom_headers is {values['custom_headers']!r}: write a name and a value on each line."


def _is_emoji(text: object) -> bool:
    """Return whether a text is made of symbols; whether they are an emoji that it knows, the Hub says."""
    if not isinstance(text, str) or not text:
        return False
    if text.endswith(_KEYCAP):
        return len(text) <= 3
    return any(_is_symbol(each) for each in text) and not any(
        unicodedata.category(each)[0] in "LNPZ" and not _is_symbol(each) for each in text
    )


def _is_symbol(character: str) -> bool:
    """Return whether a character can be an emoji; arrows and squares are mathematical, and two are punctuation."""
    is_symbol = unicodedata.category(character) in ("So", "Sm") and character > "\x7f"
    return is_symbol or character in "\N{DOUBLE EXCLAMATION MARK}\N{EXCLAMATION QUESTION MARK}"


def _check_build(values: dict[str, Any], files: set[str], gradio: str | None, zero_gpu: bool) -> Iterator[str]:
    sdk = values.get("sdk")
    if sdk not in SDKS:
        yield f"sdk is {sdk!r}: use one of {', '.join(SDKS)} (streamlit runs under docker)."
    if sdk == "gradio":
        version = str(values.get("sdk_version", ""))
        if not re.fullmatch(r"\d+\.\d+\.\d+", version):
            yield f"sdk_version is {values.get('sdk_version')!r}: write all three numbers."
        elif gradio and version != gradio:
            yield f"sdk_version is {version}, the lock has gradio {gradio}."
        if isinstance(values.get("app_file", ""), str) and values.get("app_file", "app.py") not in files:
            yield f"app_file names {values.get('app_file', 'app.py')}, which doesn't exist."
    if "app_port" in values and sdk != "docker":
        yield "app_port is for docker only."
    if sdk == "docker":
        if "Dockerfile" not in files:
            yield "sdk is docker, and there is no Dockerfile."
        if values.get("app_port") not in range(1, 65536):
            yield f"app_port is {values.get('app_port')!r}: name the port that the app listens on."
        if zero_gpu:
            yield "sdk is docker: ZeroGPU runs gradio only."


def _check_python(values: dict[str, Any], zero_gpu: bool) -> Iterator[str]:
    if isinstance(values.get("python_version"), float):
        number = values["python_version"]
        yield f"python_version is the number {number}: put it in quotes, since YAML reads 3.10 as 3.1."
        return
    python = str(values.get("python_version", "3.10"))
    if not re.fullmatch(r"3\.\d+(\.\d+)?", python):
        yield f"python_version is {python!r}: write 3.x or 3.x.x."
    elif zero_gpu and not any(f"{version}.".startswith(f"{python}.") for version in ZERO_GPU_PYTHONS):
        yield f"python_version is {python}: ZeroGPU has {' and '.join(ZERO_GPU_PYTHONS)}."


def _check_options(values: dict[str, Any]) -> Iterator[str]:
    headers, preload = values.get("custom_headers"), values.get("preload_from_hub")
    for name in headers if isinstance(headers, dict) else ():
        if name not in ISOLATION_HEADERS:
            yield f"custom_headers has {name}: only {', '.join(ISOLATION_HEADERS)} can be set."
    for text in preload if isinstance(preload, list) else ():
        if not re.fullmatch(r"[\w.-]+/[\w.-]+( [^\s,]+(,[^\s,]+)*( [0-9a-f]{40})?)?", str(text)):
            yield f'preload_from_hub has {text!r}: write "owner/repo file1,file2 sha".'
    timeout = values.get("startup_duration_timeout")
    if timeout is not None and not re.fullmatch(r"\d+(\.\d+)?\s*(s|m|h|d)\w*", str(timeout)):
        yield f"startup_duration_timeout is {timeout!r}: write it like 30m."
