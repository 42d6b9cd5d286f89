"""Collects the files that an app needs from the repository, by following its imports package by package."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from publishing.errors import StageError
from publishing.staging.checkout import Checkout

# Files about one Space, which another Space that imports its packages doesn't need.
ABOUT_A_SPACE = ("README.md", "requirements.txt", "Dockerfile")
Origin = tuple[Path, int]  # the file and the line of an import


def app_files(checkout: Checkout, app: Path) -> dict[str, Path]:
    """Return the repository files that `app`, a folder with an app.py, imports, by their path in the Space.

    A module is in the app's folder, in `spaces/` (shared by all apps) or at the root (`backends`). A package of
    another Space comes with that Space's data files.
    """
    folders = (app, app.parent, checkout.root)
    other_spaces = tuple(path.parent for path in sorted(app.parent.glob("*/app.py")) if path.parent != app)
    files: dict[str, Path] = {}
    visited: set[str] = set()
    queue = _imports(path for name, path in checkout.tree(app).items() if "/" not in name and path.suffix == ".py")
    while queue:
        name, (source, line) = queue.popitem()
        if name in visited:
            continue
        visited.add(name)
        if location := _locate(name, folders, other_spaces):
            contents = _contents(checkout, location)
            files |= contents
            if location.parent in other_spaces:
                files |= _data_files(checkout, location.parent)
            queue |= _imports(path for path in contents.values() if path.suffix == ".py")
        elif name != "spaces" and find_spec(name) is None:  # ZeroGPU's image has the package `spaces`
            where = f"{source.relative_to(checkout.root)}, line {line}"
            raise StageError(f"{where}: there is no module {name}.", "Install the package, or fix the import.")
    return files


class _ImportVisitor(ast.NodeVisitor):
    """Collects the top-level names that a module imports at run time, with the line of each."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}

    def visit_Import(self, node: ast.Import) -> None:
        self.lines |= {alias.name.partition(".")[0]: node.lineno for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module and not node.level:
            self.lines[node.module.partition(".")[0]] = node.lineno

    def generic_visit(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):  # most nodes are expressions, and none of them holds an import
                self.visit(child)

    def visit_If(self, node: ast.If) -> None:
        skips_body = "TYPE_CHECKING" in ast.dump(node.test)
        for statement in node.orelse if skips_body else [*node.body, *node.orelse]:
            self.visit(statement)


def _imports(sources: Iterable[Path]) -> dict[str, Origin]:
    origins: dict[str, Origin] = {}
    for source in sources:
        visitor = _ImportVisitor()
        try:
            visitor.visit(ast.parse(source.read_text(encoding="utf-8"), str(source)))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise StageError(f"{source} isn't valid Python ({error}).", "Correct it.") from error
        origins |= {name: (source, line) for name, line in visitor.lines.items()}
    return origins


def _locate(name: str, folders: tuple[Path, ...], other_spaces: tuple[Path, ...]) -> Path | None:
    """Return the file or package folder of a module; other Spaces share only packages."""
    candidates = [path for folder in folders for path in (folder / f"{name}.py", folder / name)]
    candidates += [space / name for space in other_spaces]
    return next((path for path in candidates if path.is_file() or (path / "__init__.py").is_file()), None)


def _contents(checkout: Checkout, location: Path) -> dict[str, Path]:
    if location.is_file():
        return {location.name: checkout.file(location)}
    checkout.file(location / "__init__.py")
    return {f"{location.name}/{name}": path for name, path in checkout.tree(location).items()}


def _data_files(checkout: Checkout, space: Path) -> dict[str, Path]:
    """Return the files that another Space's packages read: neither code nor files about that Space."""
    packages = {path.parent.name for path in space.glob("*/__init__.py")}
    return {
        name: path
        for name, path in checkout.tree(space).items()
        if path.suffix != ".py"
        and name not in ABOUT_A_SPACE
        and name[0] != "."
        and name.partition("/")[0] not in packages
    }
