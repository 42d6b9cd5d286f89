"""Simulates a Deployment on one machine: containers as pods, nginx as the Service, and the times of the manifest.

It follows the order of a cluster. A new pod starts, becomes ready, and joins the Service after a lag. An old pod starts
to terminate, leaves the Service after a lag, and gets preStop, SIGTERM and, after the grace period, SIGKILL.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import yaml

from containers import sandbox
from harness.tables import free_port

ROOT = Path(__file__).parent.parent.parent
# Seconds until every proxy in a cluster knows that a pod joins or leaves.
LAG = 3.0
CONF = """
daemon off; master_process on; pid {folder}/nginx.pid; error_log {folder}/error.log warn; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream service {{ random; {servers} }}
  server {{
    listen 127.0.0.1:{port};
    # Like kube-proxy: a connection goes to one pod without retries, and nothing is buffered.
    location / {{
      proxy_pass http://service; proxy_next_upstream off; proxy_buffering off; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_read_timeout 600s;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The lifecycle of a pod in the rendered Deployment; times are in seconds."""

    ready_path: str
    ready_period: float
    min_ready: float
    pre_stop: float
    grace: float
    environment: dict[str, str]

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the Deployment `inference` of a kustomization."""
        result = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
        objects = {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(result.stdout)}
        spec = objects["Deployment", "inference"]["spec"]
        pod = spec["template"]["spec"]
        container = pod["containers"][0]
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}, (
            "the simulation has another order"
        )
        variables: dict[str, str] = {}
        for source in container["envFrom"]:
            variables |= objects["ConfigMap", source["configMapRef"]["name"]]["data"]
        probe = container["readinessProbe"]
        return cls(
            probe["httpGet"]["path"],
            float(probe["periodSeconds"]),
            float(spec.get("minReadySeconds", 0)),
            float(container["lifecycle"]["preStop"]["sleep"]["seconds"]),
            float(pod["terminationGracePeriodSeconds"]),
            {name: value for name, value in variables.items() if not name.endswith("_FILE")},  # there is no Secret
        )


@dataclass(slots=True)
class Pod:
    """One container; `exit` says how it ended."""

    name: str
    container: Any
    url: str
    exit: str = ""

    def metric(self, name: str) -> float:
        """Return a metric, or 0 if the pod doesn't answer."""
        with contextlib.suppress(httpx2.TransportError):
            lines = httpx2.get(f"{self.url}/metrics", timeout=5).text.splitlines()
            return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))
        return 0.0


@dataclass
class Deployment:
    """Pods behind the address of one Service."""

    engine: Any
    image: str
    manifest: Manifest
    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    pods: list[Pod] = field(default_factory=list)
    _service: list[Pod] = field(default_factory=list)
    _nginx: subprocess.Popen[bytes] | None = None
    _number: int = 0
    _start_time: float = field(default_factory=time.monotonic)

    @contextlib.contextmanager
    def run(self, replicas: int) -> Iterator[Deployment]:
        """Run `replicas` pods in the Service until the end of the block."""
        try:
            for pod in [self.start() for _ in range(replicas)]:
                self.wait_ready(pod)
                self._service.append(pod)
            self._configure()
            self._nginx = subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")])
            self._wait_until(lambda: httpx2.get(f"{self.url}/health", timeout=5).status_code == 200)
            yield self
        finally:
            if self._nginx:
                self._nginx.terminate()
                self._nginx.wait(10)
            for pod in self.pods:
                pod.container.remove(force=True, v=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Pod:
        """Start a pod outside the Service."""
        self._number += 1
        environment = self.manifest.environment | self.environment
        port = int(environment["SPACEPORT_PORT"])
        container = sandbox.start(self.engine, self.image, port=port, environment=environment)
        pod = Pod(f"inference-{self._number}", container, sandbox.address(container, port))
        self.pods.append(pod)
        self._log(f"{pod.name} starts")
        return pod

    def wait_ready(self, pod: Pod) -> None:
        """Probe a pod like the kubelet until it is ready."""
        self._wait_until(
            lambda: httpx2.get(f"{pod.url}{self.manifest.ready_path}", timeout=3).status_code == 200,
            period=self.manifest.ready_period,
        )
        self._log(f"{pod.name} is ready")

    def roll(self, *, pre_stop: bool = True) -> None:
        """Replace each pod; the new one starts before the old one stops."""
        for old in list(self._service):
            self.add()
            time.sleep(max(0.0, self.manifest.min_ready - LAG))
            self.terminate(old, pre_stop=pre_stop)

    def add(self) -> None:
        """Add a pod to the Service."""
        new = self.start()
        self.wait_ready(new)
        time.sleep(LAG)
        self._service.append(new)
        self._reload()

    def terminate(self, pod: Pod, *, pre_stop: bool = True) -> None:
        """Terminate a pod like the kubelet, while the Service removes it after the lag."""
        self._log(f"{pod.name} terminates")
        removal = threading.Timer(LAG, self._remove, [pod])
        removal.start()
        start = time.monotonic()
        time.sleep(self.manifest.pre_stop if pre_stop else 0)
        pod.container.kill("SIGTERM")
        remaining = self.manifest.grace - (time.monotonic() - start)
        try:
            status = pod.container.wait(timeout=max(remaining, 0.1))["StatusCode"]
            pod.exit = f"exit {status} after {time.monotonic() - start:.0f} s"
        except Exception:  # docker raises the errors of its HTTP library
            pod.container.kill("SIGKILL")
            pod.exit = "killed after the grace period"
        removal.join()
        self._log(f"{pod.name}: {pod.exit}")

    def kill(self, pod: Pod) -> None:
        """Kill a pod without notice; the Service removes it after the lag."""
        pod.container.kill("SIGKILL")
        pod.exit = "killed"
        self._log(f"{pod.name} is killed")
        time.sleep(LAG)
        self._remove(pod)

    def broken_streams(self, pod: Pod) -> int:
        """Count the answers of a pod that ended early, by the log of the proxy."""
        lines = (self.folder / "error.log").read_text().splitlines()
        return sum("while reading upstream" in line and f'"{pod.url}/' in line for line in lines)

    @property
    def in_service(self) -> list[Pod]:
        return list(self._service)

    def _remove(self, pod: Pod) -> None:
        self._service.remove(pod)
        self._reload()

    def _reload(self) -> None:
        self._configure()
        command = ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-s", "reload"]
        subprocess.run(command, check=True, capture_output=True)
        self._log(f"in the Service: {', '.join(pod.name for pod in self._service)}")

    def _configure(self) -> None:
        servers = " ".join(f"server {pod.url.removeprefix('http://')} max_fails=0;" for pod in self._service)
        (self.folder / "nginx.conf").write_text(CONF.format(folder=self.folder, port=self.port, servers=servers))

    def _log(self, text: str) -> None:
        print(f"  {time.monotonic() - self._start_time:5.0f} s  {text}", flush=True)

    def _wait_until(self, condition: Callable[[], bool], *, period: float = 0.1, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.TransportError):
                if condition():
                    return
            time.sleep(period)
        raise TimeoutError("the pod was not ready in time")
