"""Writes a Space's requirements.txt with exact versions from the lock, dependencies included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from publishing.errors import StageError

# The Hub's image has these in the version of sdk_version; another version here would only break the build.
IN_THE_IMAGE = {"gradio", "gradio-client", "spaces"}
# In the same command the Hub installs Gradio with these extras, whose bounds the lock of this repository doesn't know.
HUB_EXTRAS = {"oauth", "mcp"}
HUB_COMMAND = ("gradio[mcp,oauth]=={version}", "uvicorn>=0.14.0", "websockets>=10.4")
HEADER = "# Exact versions from the repository's lock; written by publish_space.py, do not edit.\n"
TORCH_CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu\n"


def pin_requirements(text: str, lock: Path, *, python: str, zero_gpu: bool, gradio: bool = True) -> str:
    """Return the text of a requirements.txt that pins `text`, one without versions, and its dependencies.

    `python` is the Space's version, such as "3.11". If it's a `gradio` Space, what can't be installed beside the Hub's
    Gradio isn't pinned: pip chooses a version within Gradio's bounds. Torch comes for the CPU, unless the hardware is
    ZeroGPU, whose image has it.
    """
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux",
                   "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix",
                   "implementation_name": "cpython", "platform_python_implementation": "CPython"}  # fmt: skip
    versions = _lock_versions(lock, environment)
    _check_versions(list(_parse(text)), versions, environment)
    packages = _with_dependencies(list(_parse(text)), environment)
    bounds = _hub_bounds(versions, environment) if gradio else {}
    lines = []
    for name in sorted(packages):
        if name in IN_THE_IMAGE or _is_cuda(name) or _depends_on_bounds(name, bounds, environment):
            continue
        if name in bounds:
            lines.append(f"{name}{bounds[name]}\n")
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
        if requirement := line.partition("#")[0].strip():
            yield _requirement(requirement)


@lru_cache(4096)
def _requirement(text: str) -> Requirement:
    """Return a requirement; the lock is read twice for a Space, and again for each other Space."""
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise StageError(
            f"requirements.txt: a Space can't install {text!r}.",
            "Write a package of PyPI: no -r, no -e, no local file.",
        ) from error


def _check_versions(
    requirements: list[Requirement], versions: Mapping[str, str], environment: Mapping[str, str]
) -> None:
    """Raise `StageError` for a requirement that excludes the version in the lock, which the Space would get."""
    for requirement in requirements:
        version = versions.get(canonicalize_name(requirement.name))
        applies = requirement.marker is None or requirement.marker.evaluate(dict(environment))
        if version and applies and not requirement.specifier.contains(version, prereleases=True):
            raise StageError(
                f"requirements.txt asks for {requirement}, but the lock has {requirement.name} {version}.",
                "Change it there, or update the lock: make lock.",
            )


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


def _hub_bounds(versions: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, SpecifierSet]:
    """Return the bounds of the Hub's Gradio for the packages whose version in the lock is outside of them."""
    bounds: dict[str, SpecifierSet] = {}
    for requirement in _dependencies("gradio"):
        if _applies(requirement, HUB_EXTRAS, environment):
            name = canonicalize_name(requirement.name)
            bounds[name] = bounds.get(name, SpecifierSet()) & requirement.specifier
    return {name: each for name, each in bounds.items() if name in versions and versions[name] not in each}


def _depends_on_bounds(name: str, bounds: Mapping[str, SpecifierSet], environment: Mapping[str, str]) -> bool:
    """Return whether the locked release of a package needs another release of a package in `bounds`, or is its part."""
    for requirement in _dependencies(name):
        specifier = bounds.get(canonicalize_name(requirement.name))
        if specifier and _applies(requirement, set(), environment):
            ends = [Version(each.version) for each in specifier]
            if not any(end in specifier and end in requirement.specifier for end in ends):
                return True
    return any(
        canonicalize_name(requirement.name) == name and any(each.operator == "==" for each in requirement.specifier)
        for owner in bounds
        for requirement in _dependencies(owner)
    )


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
