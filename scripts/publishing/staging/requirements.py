"""Writes a Space's requirements.txt with exact versions from the lock, dependencies included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from publishing.errors import StageError

# The Hub's image has these in the version of sdk_version; another version here would only break the build.
IN_THE_IMAGE = {"gradio", "gradio-client", "spaces"}
HEADER = "# Exact versions from the repository's lock; written by publish_space.py, do not edit.\n"
TORCH_CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu\n"


def pin_requirements(text: str, lock: Path, *, python: str, zero_gpu: bool) -> str:
    """Return the text of a requirements.txt that pins `text`, one without versions, and its dependencies.

    `python` is the Space's version, such as "3.11". Torch comes for the CPU, unless the hardware is ZeroGPU,
    whose image has it.
    """
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux",
                   "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix",
                   "implementation_name": "cpython", "platform_python_implementation": "CPython"}  # fmt: skip
    versions = _lock_versions(lock, environment)
    packages = _with_dependencies(list(_parse(text)), environment)
    lines = []
    for name in sorted(packages):
        if name in IN_THE_IMAGE or _is_cuda(name):
            continue
        if name not in versions:
            raise StageError(f"The lock has no version of {name}.", "Update the lock: make lock.")
        extras = f"[{','.join(sorted(packages[name]))}]" if packages[name] else ""
        lines.append(f"{name}{extras}=={versions[name]}\n")
    torch = TORCH_CPU_INDEX if "torch" in packages and not zero_gpu else ""
    return HEADER + torch + "".join(lines)


def lock_version(name: str, lock: Path) -> str | None:
    """Return the version of one package in the lock."""
    return _lock_versions(lock, {}).get(canonicalize_name(name))


def _parse(text: str) -> Iterator[Requirement]:
    for line in text.splitlines():
        requirement = line.partition("#")[0].strip()
        if not requirement:
            continue
        try:
            yield Requirement(requirement)
        except InvalidRequirement as error:
            raise StageError(
                f"requirements.txt: a Space can't install {requirement!r}.",
                "Write a package of PyPI: no -r, no -e, no local file.",
            ) from error


def _with_dependencies(requirements: list[Requirement], environment: Mapping[str, str]) -> dict[str, set[str]]:
    """Return every required package with its extras."""
    packages: dict[str, set[str]] = {}
    queue = list(requirements)
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if name in packages and requirement.extras <= packages[name]:
            continue
        packages[name] = packages.get(name, set()) | requirement.extras
        queue += [each for each in _dependencies(name) if _applies(each, packages[name], environment)]
    return packages


@cache
def _dependencies(name: str) -> tuple[Requirement, ...]:
    try:
        return tuple(Requirement(text) for text in requires(name) or ())
    except PackageNotFoundError:
        return ()


def _applies(requirement: Requirement, extras: set[str], environment: Mapping[str, str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in extras | {""})


def _lock_versions(lock: Path, environment: Mapping[str, str]) -> dict[str, str]:
    versions: dict[str, str] = {}
    for requirement in _parse(lock.read_text(encoding="utf-8")):
        exact = re.fullmatch(r"==([^,]+)", str(requirement.specifier))
        if exact and (requirement.marker is None or requirement.marker.evaluate(dict(environment))):
            versions[canonicalize_name(requirement.name)] = exact[1]
    return versions


def _is_cuda(name: str) -> bool:
    return name.startswith(("nvidia-", "cuda-")) or name == "triton"
