"""The command lines answer --help without loading what only their work needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Each takes 0.1 s of CPU or more to import.
HEAVY = {"fastapi", "gradio", "plotly.basedatatypes", "pydantic", "scipy", "sqlalchemy", "torch", "uvicorn"}
HEAVY |= {"alembic", "boto3", "chromadb", "docker", "google.auth", "onnxruntime", "sagemaker", "transformers"}
HEAVY |= {"xllamacpp"}
SCRIPT = """
import runpy, sys
name, kind, heavy = sys.argv[1], sys.argv[2], sys.argv[3].split()
sys.argv = [name, "--help"]
try:
    runpy.run_module(name, run_name="__main__") if kind == "module" else runpy.run_path(name, run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *sorted(set(heavy) & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    "command",
    [
        "backends",
        "rag",
        "compare",
        "inference",
        "vision",
        "diffusion",
        "gateway",
        "containers",
        "cloud/deploy_sagemaker.py",
        "cloud/deploy_vertex.py",
        "scripts/publish_space.py",
    ],
)
def test_help_loads_nothing_heavy(command: str) -> None:
    kind = "file" if command.endswith(".py") else "module"
    arguments = [sys.executable, "-c", SCRIPT, command, kind, " ".join(HEAVY)]
    process = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT)
    assert process.returncode == 0, process.stderr
    assert "usage" in process.stdout
    assert process.stdout.splitlines()[-1] == "loaded:"


def test_importing_backends_loads_no_event_loop() -> None:
    """asyncio is half of the time of that import."""
    script = "import sys, backends; print('asyncio' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout == "False\n"


def test_the_pages_import_gradio_without_its_type_stubs_its_mcp_server_and_pandas() -> None:
    sources = [(ROOT / "spaces" / app / "app.py").read_text() for app in ("chat_rag", "platform_compare", "vision")]
    first = {next(line for line in source.splitlines() if line.startswith("import")) for source in sources}
    code = """
import inspect, sys
from gradio import caching, component_meta
print("create_or_modify_pyi(" in inspect.getsource(component_meta.ComponentMeta))
print(component_meta.create_or_modify_pyi.__module__, "mcp" in sys.modules, "pandas" in sys.modules)
import pandas
calls = []
rows = caching.cache(lambda table: calls.append(table) or len(table))
print(rows(pandas.DataFrame({"a": [1, 2]})), rows(pandas.DataFrame({"a": [1, 2]})), len(calls))
"""
    command = [sys.executable, "-c", "\n".join([*first, code])]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.split() == ["True", "ui.gradio_imports", "False", "False", "2", "2", "1"]


def test_pandas_can_be_imported_while_gradio_is_being_imported(tmp_path: Path) -> None:
    source = tmp_path / "caching.py"
    source.write_text(
        "import importlib.util, pandas\n"
        "print(importlib.util.find_spec('pandas').name, hasattr(pandas, '__path__'))\n"
        "from pandas import DataFrame\n"
    )
    code = f"""
import sys, types
from ui.gradio_imports import LOADERS
module = types.ModuleType("caching")
LOADERS["gradio.caching"]("caching", {str(source)!r}).exec_module(module)
import pandas
print(module.DataFrame is pandas.DataFrame, module.pandas.__version__ == pandas.__version__)
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["pandas", "False", "True", "True"]
