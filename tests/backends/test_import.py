"""`import backends` loads no SDK, and exports exactly its public names."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
import types

import backends

HEAVY = {"torch", "boto3", "chromadb", "transformers", "ollama", "xllamacpp", "gradio", "huggingface_hub"}
HEAVY |= {"google.auth", "google.cloud.aiplatform"}  # `google` itself is always in sys.modules if it is installed
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(backends.__path__, "backends.")
    if not module.name.endswith("__main__") and not module.name.startswith("backends.hub")  # it is of the Hub's SDK
)


def loaded(*modules: str) -> set[str]:
    """The SDKs that a new process has loaded after importing these modules."""
    script = f"import sys, {', '.join(modules)}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    process = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    return set(process.stdout.split())


def test_importing_backends_loads_nothing_heavy() -> None:
    assert loaded("backends") == set()


def test_no_kind_loads_its_sdk_when_it_is_imported() -> None:
    assert loaded(*MODULES) == set()


def test_all_is_exactly_what_is_public() -> None:
    public = {
        name
        for name, value in vars(backends).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(backends.__all__) == public
    assert backends.__all__ == sorted(backends.__all__)
