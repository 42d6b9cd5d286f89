"""Collects the files that an app needs from the repository, by following its imports package by package."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from publishing.errors import StageError
from publishing.staging.checkout import Checkout

# Files about one Space, which another Space that imports its packages doesn't need.
ABOUT_A_SPACE = ("README.md", "requirements.txt", "Dockerfile")
Origin = tuple[Path, int, bool]  # the file and the line of an import, and whether the app does without it


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
        name, (source, line, is_optional) = queue.popitem()
        if name in visited:
            continue
        if not is_optional:
            visited.add(name)
        if location := _locate(name, folders, other_spaces):
            visited.add(name)
            contents = _contents(checkout, location)
            files |= contents
            if location.parent in other_spaces:
                files |= _data_files(checkout, location.parent)
            _add(queue, _imports(path for path in contents.values() if path.suffix == ".py"))
        elif name != "spaces" and not is_optional and find_spec(name) is None:  # ZeroGPU's image has `spaces`
            where = f"{source.relative_to(checkout.root)}, line {line}"
            raise StageError(f"{where}: there is no module {name}.", "Install the package, or fix the import.")
    return files


class _ImportVisitor(ast.NodeVisitor):
    """Collects the top-level names that a module imports at run time, with the line of each.

    `optional` are the lines of imports whose failure the module handles.
    """

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.optional: set[int] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module and not node.level:
            self._add(node.module, node.lineno)

    def visit_Try(self, node: ast.Try) -> None:
        if any(_handles_import_error(handler) for handler in node.handlers):
            imports = (each for statement in node.body for each in ast.walk(statement))
            self.optional |= {each.lineno for each in imports if isinstance(each, ast.Import | ast.ImportFrom)}
        self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):  # most nodes are expressions, and none of them holds an import
                self.visit(child)

    def visit_If(self, node: ast.If) -> None:
        skips_body = "TYPE_CHECKING" in ast.dump(node.test)
        for statement in node.orelse if skips_body else [*node.body, *node.orelse]:
            self.visit(statement)

    def _add(self, module: str, line: int) -> None:
        """Add an import; one that the module needs counts more than an optional one of the same name."""
        name = module.partition(".")[0]
        if name not in self.lines or self.lines[name] in self.optional:
            self.lines[name] = line


def _handles_import_error(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler catches the error of a missing module; a bare `except` does."""
    names = {each.id for each in ast.walk(handler.type) if isinstance(each, ast.Name)} if handler.type else set()
    return handler.type is None or bool(names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def _imports(sources: Iterable[Path]) -> dict[str, Origin]:
    origins: dict[str, Origin] = {}
    for source in sources:
        try:
            visitor = _visited(source.read_text(encoding="utf-8"), str(source))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise StageError(f"{source} isn't valid Python ({error}).", "Correct it.") from error
        _add(origins, {name: (source, line, line in visitor.optional) for name, line in visitor.lines.items()})
    return origins


@lru_cache(4096)
def _visited(code: str, path: str) -> _ImportVisitor:
    """Return what a module imports; Spaces share packages, and each of them is read again."""
    visitor = _ImportVisitor()
    visitor.visit(ast.parse(code, path))
    return visitor


def _add(origins: dict[str, Origin], new: dict[str, Origin]) -> None:
    """Add imports; one that the app needs takes the place of an optional one of the same name."""
    origins |= {name: origin for name, origin in new.items() if name not in origins or origins[name][2]}


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
