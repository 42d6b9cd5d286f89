"""Adds up what an image's packages take on the disk, from those that are installed here.

`python -m containers.package_sizes containers/diffusion/requirements-gpu.txt --without torch numpy pillow` prints a
line for each package, and the sum. `--without` are packages that the base image has, with all that they need.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

MB = 1_000_000


def package_sizes(requirements: Iterable[str], without: Collection[str] = ()) -> dict[str, int]:
    """Return the bytes of each package that the requirements need, directly or not, but for those of `without`."""
    left_out = closure(map(Requirement, without))
    needed = closure(map(Requirement, requirements), left_out)
    return {name: installed_bytes(name) for name in sorted(needed)}


def closure(requirements: Iterable[Requirement], left_out: Collection[str] = ()) -> set[str]:
    """Return the names of the requirements and of all that they need here."""
    names: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    queue = list(requirements)
    while queue:
        requirement = queue.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if name in left_out or (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:  # for another system
            continue
        names.add(name)
        for each in map(Requirement, needs):
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras | {""}):
                queue.append(each)
    return names


def installed_bytes(name: str) -> int:
    """Return the size of a package's files, without the bytecode that Python adds."""
    files = distribution(name).files or []
    paths = (Path(str(each.locate())) for each in files if "__pycache__" not in each.parts)
    return sum(path.stat().st_size for path in paths if path.is_file())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m containers.package_sizes", description=__doc__)
    parser.add_argument("file", type=Path, help="requirements, one a line")
    parser.add_argument("--without", nargs="*", default=[], metavar="PACKAGE", help="what the base image has")
    options = parser.parse_args(arguments)
    lines = [line.strip() for line in options.file.read_text().splitlines()]
    sizes = package_sizes([line for line in lines if line and not line.startswith("#")], options.without)
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{name:<28}{size / MB:8.1f} MB")
    print(f"{'sum':<28}{sum(sizes.values()) / MB:8.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
