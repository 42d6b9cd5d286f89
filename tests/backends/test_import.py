"""What `import backends` loads, and what it offers."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import backends

HEAVY = {"torch", "boto3", "chromadb", "transformers", "ollama", "xllamacpp", "gradio", "huggingface_hub"}
HEAVY |= {"google.auth", "google.cloud.aiplatform"}  # `google` itself is there from the start, where it is installed
MODULES = sorted(file.stem for file in Path(backends.__file__).parent.glob("[!_]*.py"))


def loaded(*modules: str) -> set[str]:
    """The heavy packages that a fresh process has loaded after importing these."""
    script = f"import sys, {', '.join(modules)}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    process = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    return set(process.stdout.split())


def test_importing_backends_loads_nothing_heavy() -> None:
    assert loaded("backends") == set()


def test_no_kind_loads_its_sdk_when_it_is_imported() -> None:
    assert loaded(*(f"backends.{name}" for name in MODULES)) == set()


def test_all_is_exactly_what_is_public() -> None:
    public = {
        name
        for name, value in vars(backends).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(backends.__all__) == public
    assert backends.__all__ == sorted(backends.__all__)
