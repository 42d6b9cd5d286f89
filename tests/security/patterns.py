"""Finds all patterns of the source code: module globals, attributes of classes, and literals inside functions."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("backends", "chat_page", "cloud", "compare", "compare_page", "inference", "publishing", "rag", "ui")
FOLDERS = ("backends", "cloud", "containers", "scripts", "spaces")
_ANCHORED = {"match", "fullmatch"}
_METHODS = _ANCHORED | {"search", "sub", "subn", "split", "findall", "finditer"}
_PATTERN_FUNCTIONS = _METHODS | {"compile"}


@dataclass(frozen=True)
class Found:
    """A pattern; `anchored` if the code only ever compares it with the beginning of a text."""

    place: str
    pattern: re.Pattern[Any]
    anchored: bool

    def use(self, text: str) -> None:
        """Compare the pattern with a text like the code does."""
        value = text if isinstance(self.pattern.pattern, str) else text.encode()
        if self.anchored:
            self.pattern.match(value)
            self.pattern.fullmatch(value)
        else:
            for _ in self.pattern.finditer(value):
                pass


@cache
def package_patterns(package_name: str) -> list[Found]:
    """Return each pattern that a module or a class of a package holds, once."""
    return _distinct(found for module in _modules(package_name) for found in _in_module(module))


def literal_patterns() -> list[Found]:
    """Return each pattern that stands in a function, or in a module outside of `PACKAGES`."""
    return _distinct(_in_sources())


def built_at_run_time() -> list[str]:
    """Return the places of patterns that no literal and no global holds, which nothing can check."""
    return [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, call, in_function in _pattern_calls()
        if in_function and not isinstance(call.args[0], ast.Constant)
    ]


def _distinct(patterns: Iterable[Found]) -> list[Found]:
    by_pattern: dict[Any, Found] = {}
    for found in patterns:
        key = found.pattern.pattern, found.pattern.flags
        if key not in by_pattern or not found.anchored:  # one that is searched for anywhere decides
            by_pattern[key] = found
    return sorted(by_pattern.values(), key=lambda found: found.place)


def _in_module(module: ModuleType) -> Iterator[Found]:
    uses = _uses(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")))
    for name, value in vars(module).items():
        own = [value]
        if isinstance(value, type) and value.__module__ == module.__name__:
            own = list(vars(value).values())
        for pattern in _patterns_of(own):
            yield Found(f"{module.__name__}.{name}", pattern, uses.get(name, set()) == {"beginning"})


def _modules(package_name: str) -> Iterator[ModuleType]:
    package = importlib.import_module(package_name)
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package_name}."):
        if not info.name.endswith("__main__"):
            yield importlib.import_module(info.name)


def _patterns_of(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _patterns_of(item)
    elif isinstance(value, dict):
        yield from _patterns_of([*value.keys(), *value.values()])


def _uses(tree: ast.Module) -> dict[str, set[str]]:
    """How a module uses its globals: `NAME.match(text)` looks at the beginning, everything else anywhere."""
    uses: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=arguments) if (
                method in _METHODS
            ):
                at_beginning = method in _ANCHORED and len(arguments) == 1
                uses.setdefault(name, set()).add("beginning" if at_beginning else "anywhere")
    return uses


def _in_sources() -> Iterator[Found]:
    for path, call, in_function in _pattern_calls():
        assert isinstance(call.func, ast.Attribute)
        if isinstance(call.args[0], ast.Constant) and (in_function or not set(path.parts) & set(PACKAGES)):
            flags = [node for node in [*call.args[1:], *(keyword.value for keyword in call.keywords)] if _is_flag(node)]
            pattern = re.compile(call.args[0].value, _flags(flags))
            yield Found(f"{path.relative_to(ROOT)}:{call.lineno}", pattern, call.func.attr in _ANCHORED)


@cache
def _pattern_calls() -> Sequence[tuple[Path, ast.Call, bool]]:
    """Return each call of a function of `re` with a pattern, and whether it is inside a function."""
    return tuple(call for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) for call in _calls(path))


def _calls(path: Path) -> Iterator[tuple[Path, ast.Call, bool]]:
    text = path.read_text(encoding="utf-8")
    if "re." not in text:
        return
    tree = ast.parse(text)
    in_functions = {
        node
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name in _PATTERN_FUNCTIONS:
                yield path, node, node in in_functions


def _is_flag(node: ast.expr) -> bool:
    names = [part for part in ast.walk(node) if isinstance(part, ast.Attribute)]
    return bool(names) and all(isinstance(part.value, ast.Name) and part.value.id == "re" for part in names)


def _flags(nodes: list[ast.expr]) -> int:
    names = [part.attr for node in nodes for part in ast.walk(node) if isinstance(part, ast.Attribute)]
    return sum(int(getattr(re, name)) for name in names)
