"""requirements.txt with exact versions: what the app asks for, and all that this brings, as the lock has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from publishing.errors import StageError

# What the Hub's own image brings, in the version of sdk_version; a second opinion would only break the build.
FROM_THE_HUB = {"gradio", "gradio-client", "spaces"}
HEAD = "# Exact versions from the repository's lock; written by publish_space.py, do not edit.\n"
TORCH_CPU = "--extra-index-url https://download.pytorch.org/whl/cpu\n"


def pinned(asked: str, lock: Path, *, python: str, zero_gpu: bool) -> str:
    """The text of requirements.txt for what `asked` (a requirements.txt without pins) needs.

    `python` is the Space's version, such as "3.11". Torch comes for the CPU, unless the hardware is ZeroGPU,
    whose image has it.
    """
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux",
                   "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix",
                   "implementation_name": "cpython", "platform_python_implementation": "CPython"}  # fmt: skip
    versions = _lock(lock, environment)
    wanted = dict(_reached(list(_asked(asked)), environment))
    lines = []
    for name in sorted(wanted):
        if name in FROM_THE_HUB or _of_cuda(name):
            continue
        if name not in versions:
            raise StageError(f"The lock has no version of {name}.", "Write it anew: make lock.")
        lines.append(f"{name}{wanted[name]}=={versions[name]}\n")
    torch = TORCH_CPU if "torch" in wanted and not zero_gpu else ""
    return HEAD + torch + "".join(lines)


def version(name: str, lock: Path) -> str | None:
    """The version of one package in the lock."""
    return _lock(lock, {}).get(canonicalize_name(name))


def _asked(text: str) -> Iterator[Requirement]:
    for line in text.splitlines():
        stated = line.partition("#")[0].strip()
        if not stated:
            continue
        try:
            yield Requirement(stated)
        except InvalidRequirement as error:
            raise StageError(
                f"requirements.txt: {stated!r} is no requirement that a Space can install.",
                "It is mounted by itself: no -r, no -e, no local file.",
            ) from error


def _reached(start: list[Requirement], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every package that is needed, with its extras as they are written."""
    extras: dict[str, set[str]] = {}
    waiting = list(start)
    while waiting:
        asked = waiting.pop()
        name = canonicalize_name(asked.name)
        if name in extras and asked.extras <= extras[name]:
            continue
        extras[name] = extras.get(name, set()) | asked.extras
        waiting += [each for each in _requires(name) if _applies(each, extras[name], environment)]
    for name, wanted in extras.items():
        yield name, f"[{','.join(sorted(wanted))}]" if wanted else ""


def _requires(name: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in requires(name) or []]
    except PackageNotFoundError:
        return []


def _applies(asked: Requirement, extras: set[str], environment: Mapping[str, str]) -> bool:
    if asked.marker is None:
        return True
    return any(asked.marker.evaluate({**environment, "extra": extra}) for extra in (extras or {""}) | {""})


def _lock(lock: Path, environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        stated = line.partition("#")[0].strip()
        if not stated:
            continue
        asked = Requirement(stated)
        exact = re.fullmatch(r"==([^,]+)", str(asked.specifier))
        if exact and (asked.marker is None or asked.marker.evaluate(dict(environment))):
            found[canonicalize_name(asked.name)] = exact[1]
    return found


def _of_cuda(name: str) -> bool:
    return name.startswith(("nvidia-", "cuda-")) or name == "triton"
