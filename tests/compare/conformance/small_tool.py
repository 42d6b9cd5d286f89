"""A load tool of a page: `small_tool.py URL MODEL REQUESTS OUT [--naive]` sends one request after the other.

With --naive, it has three faults that real tools have: the first event is its first token, an error in the stream is no
failure, and each event is a token.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from itertools import pairwise
from pathlib import Path
from statistics import mean, median


def ask(url: str, model: str, naive: bool) -> tuple[list[float], int, bool]:
    """Return the moments of the texts since the request, the number of tokens, and whether the answer is complete."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}], "stream": True}).encode()
    moments, tokens, complete = [], 0, naive
    start = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/chat/completions", body), timeout=30) as answer:
        for line in answer:
            if not line.startswith(b"data: {"):
                complete = complete or line.startswith(b"data: [DONE]")
                continue
            event = json.loads(line.removeprefix(b"data: "))
            if event.get("usage") and not naive:
                tokens = event["usage"]["completion_tokens"]
            choices = event.get("choices")
            if choices and (naive or choices[0]["delta"].get("content")):
                moments.append(time.perf_counter() - start)
                tokens += naive
    return moments, tokens, complete


def main(url: str, model: str, requests: str, out: str, *options: str) -> None:
    answers = [ask(url, model, "--naive" in options) for _ in range(int(requests))]
    complete = [(moments, tokens) for moments, tokens, ok in answers if ok]
    report: dict[str, object] = {"ok": len(complete), "tokens": sum(tokens for _, tokens in complete)}
    if complete:
        report["first"] = {"p50": median(moments[0] for moments, _ in complete)}
        report["gap"] = [mean(later - earlier for moments, _ in complete for earlier, later in pairwise(moments))]
    Path(out).write_text(json.dumps(report))


main(*sys.argv[1:])
