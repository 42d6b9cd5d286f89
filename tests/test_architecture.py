"""The layers of the code: imports point down, no modules import each other, and every package is installed."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
FOLDERS = {name: ROOT / SETUPTOOLS["package-dir"].get(name, name) for name in SETUPTOOLS["packages"] if "." not in name}
# These aren't installed: a Space or a script imports them from its own folder.
NOT_INSTALLED = {
    "publishing": ROOT / "scripts" / "publishing",
    "dashboard_pages": ROOT / "spaces" / "dashboard" / "dashboard_pages",
    "ledger_report": ROOT / "spaces" / "dashboard" / "ledger_report",
    "live_metrics": ROOT / "spaces" / "dashboard" / "live_metrics",
}
BENCHMARKS = ROOT / "benchmarks"
# Command lines: like an app.py, they put packages together, and nothing imports them.
COMMAND_LINES = {"cloud.deploy_sagemaker", "cloud.deploy_vertex"}
# What a package may import, besides itself.
BELOW = {
    "backends": [],
    "ui": ["backends"],
    "rag": ["ui", "backends"],
    "compare": ["ui", "backends"],
    "chat_page": ["rag", "ui", "backends"],
    "compare_page": ["compare", "ui", "backends"],
    "live_metrics": ["compare", "ui", "backends"],
    "ledger_report": ["compare", "ui", "gateway", "backends"],
    "dashboard_pages": ["ledger_report", "live_metrics", "compare", "ui", "backends"],
    "inference": ["backends"],
    "vision": ["inference", "backends"],
    "diffusion": ["inference", "backends"],
    "vision_page": ["ui", "backends"],
    "gateway": ["vision", "diffusion", "inference", "backends"],
    "containers": ["backends"],
    "cloud": ["backends"],
    "publishing": ["chat_page", "rag", "backends"],
}
# The layers inside a package, top to bottom. A module outside these is above them.
LAYERS = {
    "chat_page": [
        ("chat_page.handlers",),
        ("chat_page.chat",),
        ("chat_page.sources", "chat_page.sharing", "chat_page.visitors"),
        (
            "chat_page.conversations.conversation",
            "chat_page.rendering.markdown",
            "chat_page.strings",
            "chat_page.translations",
        ),
    ],
    "gateway": [
        ("gateway.app", "gateway.commands"),
        ("gateway.routes",),
        ("gateway.service",),
        ("gateway.request_path",),
        ("gateway.database",),
        ("gateway.ledger.row", "gateway.keys.key"),
    ],
    "inference": [
        ("inference.app",),
        ("inference.http",),
        ("inference.answers.generation",),
        ("inference.answers.endings",),
    ],
    "rag": [
        ("rag.scoring",),
        ("rag.answering",),
        ("rag.library",),
        ("rag.search",),
        ("rag.reading",),
        ("rag.documents", "rag.errors"),
    ],
    "cloud": [
        ("cloud.command",),
        ("cloud.sagemaker", "cloud.vertex"),
        ("cloud.platform", "cloud.wait"),
        ("cloud.calls", "cloud.settings"),
    ],
    "compare": [
        ("compare.publish",),
        ("compare.conformance", "compare.report"),
        ("compare.capacity",),
        ("compare.analyse",),
        ("compare.foreign", "compare.judging", "compare.telemetry"),
        ("compare.measure",),
        ("compare.runs.records",),
    ],
    "backends": [
        (
            "backends.kinds.embedded",
            "backends.kinds.transformers",
            "backends.kinds.kubernetes",
            "backends.kinds.sagemaker",
            "backends.kinds.vertex",
        ),
        ("backends.kinds.openai", "backends.kinds.ollama", "backends.kinds.huggingface"),
        ("backends.chat",),
        ("backends.http",),
    ],
}


@cache
def modules() -> dict[str, Path]:
    """Every module by its import name."""
    files = {}
    for name, folder in (FOLDERS | NOT_INSTALLED).items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            if any(part in FOLDERS and name == "containers" for part in parts[:-1]):
                continue  # containers/inference is the package `inference`
            files[".".join([name, *parts]).removesuffix(".__init__")] = path
    return files


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of this project that a module imports, at its top or inside a function."""
    names = set(_imports(ast.parse(modules()[module].read_text())))
    return frozenset(names - {module})


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                if submodule in modules():
                    yield submodule
                elif node.module in modules():
                    yield node.module


@cache
def defined(path: Path) -> frozenset[str]:
    """The names that a module has."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return frozenset(names)


def layer(module: str) -> int:
    """The layer of a module inside its package: 0 is the top."""
    layers = LAYERS.get(module.partition(".")[0], [])
    for number, names in enumerate(layers, 1):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return number
    return 0


def test_every_module_is_seen() -> None:
    assert {"backends.catalog", "rag.answering.citations.cite", "inference.app", "publishing.publish"} <= set(modules())
    assert set(FOLDERS | NOT_INSTALLED) == set(BELOW)


@pytest.mark.parametrize("package", ["backends", "chat_page", "compare", "compare_page", "rag", "ui"])
def test_a_package_is_installed_with_its_data(package: str) -> None:
    """A wheel has the modules, and of other files those that the table of package data names."""
    folder = FOLDERS[package]
    tracked = subprocess.run(["git", "ls-files", folder], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = {ROOT / name for name in tracked.splitlines() if not name.endswith(".py")}
    for name, patterns in SETUPTOOLS["package-data"].items():
        if name.partition(".")[0] == package:
            place = folder.joinpath(*name.split(".")[1:])
            files -= {path for pattern in patterns for path in place.glob(pattern)}
    assert not files


def test_every_package_is_installed() -> None:
    packages = {
        name for name, path in modules().items() if path.name == "__init__.py" and name.partition(".")[0] in FOLDERS
    }
    assert packages == set(SETUPTOOLS["packages"])


@pytest.mark.parametrize("package", sorted(BELOW))
def test_a_package_imports_only_packages_below_it(package: str) -> None:
    allowed = {package, *BELOW[package]}
    wrong = [
        f"{module} imports {other}"
        for module in sorted(modules())
        if module.partition(".")[0] == package and module not in COMMAND_LINES
        for other in sorted(imports(module))
        if other.partition(".")[0] not in allowed or other in COMMAND_LINES
    ]
    assert not wrong


@pytest.mark.parametrize("package", sorted(LAYERS))
def test_inside_a_package_imports_point_down(package: str) -> None:
    wrong = [
        f"{module} imports {other}"
        for module in sorted(modules())
        if module.partition(".")[0] == package and layer(module)
        for other in sorted(imports(module))
        if other.partition(".")[0] == package and layer(other) and layer(other) < layer(module)
    ]
    assert not wrong


def test_no_modules_import_each_other() -> None:
    """Lazy imports count too: two modules that need each other are one module, or lack a third."""
    finished: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " imports ".join([*path[path.index(module) :], module])
        if module not in finished:
            for other in sorted(imports(module)):
                visit(other, (*path, module))
            finished.add(module)

    for module in sorted(modules()):
        visit(module, ())


def test_benchmarks_and_scripts_use_names_that_exist() -> None:
    """Type checks and tests leave most of them out, so nothing else says that a name of theirs has moved."""
    harness = {
        ".".join(path.relative_to(BENCHMARKS).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (BENCHMARKS / "harness").rglob("*.py")
    }
    files = [*BENCHMARKS.rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]
    wrong = [f"{path.relative_to(ROOT)}: {name}" for path in files for name in _missing(path, modules() | harness)]
    assert not wrong


def _missing(path: Path, here: dict[str, Path]) -> Iterator[str]:
    """What a file imports from the modules `here`, or takes of one that it has imported, and isn't there."""
    tree, aliases = ast.parse(path.read_text()), dict[str, str]()
    packages = {name.partition(".")[0] for name in here}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in packages:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in here:
                    aliases[alias.asname or alias.name] = name
                elif node.module not in here or alias.name not in defined(here[node.module]):
                    yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            name = aliases[node.value.id]
            if node.attr not in defined(here[name]) and f"{name}.{node.attr}" not in here:
                yield f"{name}.{node.attr}"


def test_the_text_is_plain_english() -> None:
    """Words that no contemporary manual uses. They are split here so that the search doesn't find this line."""
    words = "|".join(("who" + "ever", "a" + "new", "there" + "of", "le" + "st"))
    command = ["git", "grep", "-nwiE", words, "--", "*.py", "*.md"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode in (0, 1), process.stderr
    assert not process.stdout
