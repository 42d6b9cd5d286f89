"""Which of the repository's files an app needs to run by itself: followed import by import, from the syntax tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from publishing.errors import StageError

# What belongs to a Space itself, and not to the packages in it that others import.
OWN = ("README.md", "requirements.txt", "Dockerfile")
NEVER = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".git")


@dataclass(frozen=True, slots=True)
class Closure:
    """Files by the place they take in the Space, and the names of the outside packages that they import."""

    files: dict[str, Path]
    packages: frozenset[str]


def closure(root: Path, app: Path) -> Closure:
    """Everything that `app`, a folder with an app.py, imports of the repository at `root`; data files come along.

    A module lies in the app's folder, in `spaces/` (shared by all apps) or at the root (`backends`). A package may be
    another Space's: its data, which lie beside it there, come along.
    """
    places = (app, app.parent, root)
    others = tuple(path.parent for path in sorted(app.parent.glob("*/app.py")) if path.parent != app)
    files: dict[str, Path] = {}
    outside: set[str] = set()
    waiting = sorted(app.glob("*.py"))
    seen: set[Path] = set()
    while waiting:
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        for name, line in _imports(source):
            found = _find(name, places, others)
            if found:
                package = _files(found)
                files |= package
                if found.parent in others:
                    files |= _data(found.parent)
                waiting += [path for path in package.values() if path.suffix == ".py"]
            elif name.partition(".")[0] in _DISTRIBUTIONS or name == "spaces":
                outside.add(name.partition(".")[0])
            elif name.partition(".")[0] not in sys.stdlib_module_names:
                raise StageError(
                    f"{source.relative_to(root)}, line {line}: there is no module {name}.",
                    "Install what it needs, or correct the import.",
                )
    return Closure(files, frozenset(outside))


def tree(folder: Path) -> dict[str, Path]:
    """Every file below `folder` by its relative path, without caches and hidden folders."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part in NEVER for part in path.relative_to(folder).parts)
    }


_DISTRIBUTIONS = packages_distributions()


def _imports(source: Path) -> Iterator[tuple[str, int]]:
    """The modules that a file imports, wherever in it; what only a type checker sees is left out."""
    try:
        parsed = ast.parse(source.read_text(encoding="utf-8"), str(source))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise StageError(f"{source} cannot be read as Python ({error}).", "Correct it.") from error
    skipped = {
        id(inner)
        for node in ast.walk(parsed)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for part in node.body
        for inner in ast.walk(part)
    }
    for node in ast.walk(parsed):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def _find(name: str, places: tuple[Path, ...], others: tuple[Path, ...]) -> Path | None:
    """The file or package folder of a module's first part, where the repository has one; of `others` only packages."""
    first = name.partition(".")[0]
    for place in (*places, *others):
        if place not in others and (place / f"{first}.py").is_file():
            return place / f"{first}.py"
        if (place / first / "__init__.py").is_file():
            return place / first
    return None


def _files(found: Path) -> dict[str, Path]:
    if found.is_file():
        return {found.name: found}
    return {f"{found.name}/{name}": path for name, path in tree(found).items()}


def _data(space: Path) -> dict[str, Path]:
    """What another Space's packages read: its files that are neither code nor about that Space."""
    packages = {path.parent.name for path in space.glob("*/__init__.py")}
    return {
        name: path
        for name, path in tree(space).items()
        if path.suffix != ".py" and name not in OWN and name[0] != "." and name.partition("/")[0] not in packages
    }
