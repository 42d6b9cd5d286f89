"""The cost of a Kubernetes API server as a proxy: time to first token through it, and of a direct call.

    python benchmarks/serving/through_cluster.py [--rounds 40]

One inference server on this machine is the pod. nginx, with TLS and a bearer token, stands in for the API server's
proxy. Both are measured in turn, with a connection that is reused, as on the pages, and with a new one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import free_port, table, write

IDENTITY = "benchmark"
CONNECTIONS = ("reused", "new")
MAX_DELAY_MS = 10
CONF = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log warn; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream pod {{ server 127.0.0.1:{pod}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    location ~ ^/api/v1/namespaces/spaceport/services/http:inference:8080/proxy/(.*)$ {{
      if ($http_authorization != "Bearer {identity}") {{ return 401; }}
      proxy_pass http://pod/$1; proxy_buffering off; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Authorization "";
    }}
  }}
}}
"""


async def first_token(backend: Any) -> float:
    """The time to first token of one answer, in seconds."""
    from backends import ChatRequest, Message, Stopwatch

    stopwatch = Stopwatch()
    async for _ in stopwatch.record(backend.stream(ChatRequest((Message("user", "Say hi."),), max_tokens=4))):
        pass
    assert stopwatch.first_token_seconds is not None
    return stopwatch.first_token_seconds


async def measure(entries: dict[str, Any], rounds: int) -> dict[tuple[str, str], list[float]]:
    """Measure each target with a reused and with a new connection, in a random order each round.

    The first round warms up and is dropped.
    """
    from backends import Catalog
    from backends.http.connections import close_connections

    catalog = Catalog(entries, source="benchmark")
    backends = {name: catalog.connect(name) for name in entries}
    seconds: dict[tuple[str, str], list[float]] = {(name, how): [] for how in CONNECTIONS for name in entries}
    for number in range(rounds + 1):
        for name, how in random.sample(list(seconds), len(seconds)):
            if how == "new":
                await close_connections()
            else:
                await first_token(backends[name])  # opens the connection
            first = await first_token(backends[name])
            if number:
                seconds[name, how].append(first)
    await close_connections()
    return seconds


@contextlib.contextmanager
def pod(folder: Path) -> Iterator[int]:
    """Run the inference server, and yield its port when it is ready."""
    port = free_port()
    environment = {**os.environ, "SPACEPORT_HOST": "127.0.0.1", "SPACEPORT_PORT": str(port)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "inference"], env=environment, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/ready")
        yield port
    finally:
        process.terminate()
        process.wait(40)


@contextlib.contextmanager
def api_server(folder: Path, pod_port: int) -> Iterator[Path]:
    """Run nginx as the API server's proxy, and yield a kubeconfig for it."""
    port = free_port()
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    files = ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1", *files], check=True, capture_output=True)
    conf = folder / "nginx.conf"
    conf.write_text(CONF.format(folder=folder, pod=pod_port, port=port, identity=IDENTITY))
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(folder / "server.pem")}
    config = {
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": IDENTITY}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "spaceport"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))  # JSON is YAML
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(conf)])
    try:
        _wait_for(f"https://127.0.0.1:{port}/")
        yield folder / "kubeconfig"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(url, verify=False, timeout=5).status_code in (200, 404):
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)  # nginx's workers run as the user nobody
        with pod(folder) as port, api_server(folder, port) as kubeconfig:
            service = {"service": "inference", "port": 8080, "via": "proxy", "kubeconfig": str(kubeconfig)}
            entries = {"direct": {"kind": "openai", "url": f"http://127.0.0.1:{port}/v1"}}
            entries["proxy"] = {"kind": "kubernetes", **service}
            seconds = asyncio.run(measure(entries, options.rounds))
    milliseconds = {case: median(each) * 1000 for case, each in seconds.items()}
    delay = {how: milliseconds["proxy", how] - milliseconds["direct", how] for how in CONNECTIONS}
    rows = [
        [how, f"{milliseconds['direct', how]:.1f}", f"{milliseconds['proxy', how]:.1f}", f"{delay[how]:+.1f}"]
        for how in CONNECTIONS
    ]
    print(table(["connection", "direct ms", "through the proxy ms", "more ms"], rows))
    met = max(delay.values()) <= MAX_DELAY_MS
    print(f"\n{'met   ' if met else 'MISSED'}  the first token arrives at most {MAX_DELAY_MS} ms later")
    write(
        "through_cluster",
        {
            "first_token_ms": {", ".join(case): each for case, each in milliseconds.items()},
            "more_ms": delay,
            "rounds": options.rounds,
            "met": met,
        },
    )


if __name__ == "__main__":
    main()
