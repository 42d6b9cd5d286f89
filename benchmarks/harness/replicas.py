"""A Deployment rehearsed on one machine: containers for pods, nginx for the Service, the manifest's own times.

What a cluster does is done in its order: a new pod comes, is asked until it is ready, and is in the Service some time
later; an old one begins to end, leaves the Service some time later, and gets preStop, SIGTERM and, after the grace,
SIGKILL.
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

from containers import running
from harness.tables import free_port

ROOT = Path(__file__).parent.parent.parent
# Seconds until every proxy of a cluster has heard that a pod came or goes.
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
    # As kube-proxy: a connection goes to one pod, is asked once, and what comes is passed on as it comes.
    location / {{
      proxy_pass http://service; proxy_next_upstream off; proxy_buffering off; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_read_timeout 600s;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the rendered Deployment says of a pod's life; times in seconds."""

    ready_path: str
    ready_period: float
    min_ready: float
    pre_stop: float
    grace: float
    environment: dict[str, str]

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """The Deployment `inference` of a kustomization."""
        done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
        objects = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(done.stdout)}
        spec = objects["Deployment", "inference"]["spec"]
        pod = spec["template"]["spec"]
        container = pod["containers"][0]
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}, "another order than rehearsed"
        names = [source["configMapRef"]["name"] for source in container["envFrom"]]
        told = {name: value for each in names for name, value in objects["ConfigMap", each]["data"].items()}
        probe = container["readinessProbe"]
        return cls(
            probe["httpGet"]["path"],
            float(probe["periodSeconds"]),
            float(spec.get("minReadySeconds", 0)),
            float(container["lifecycle"]["preStop"]["sleep"]["seconds"]),
            float(pod["terminationGracePeriodSeconds"]),
            {name: value for name, value in told.items() if not name.endswith("_FILE")},  # no key: no Secret either
        )


@dataclass(slots=True)
class Pod:
    """One container, and how it ended."""

    name: str
    container: Any
    url: str
    ended: str = ""

    def metric(self, name: str) -> float:
        """One of its figures, or 0 where it says nothing."""
        with contextlib.suppress(httpx2.TransportError):
            lines = httpx2.get(f"{self.url}/metrics", timeout=5).text.splitlines()
            return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))
        return 0.0


@dataclass
class Deployment:
    """Pods behind one address."""

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
    _began: float = field(default_factory=time.monotonic)

    @contextlib.contextmanager
    def running(self, replicas: int) -> Iterator[Deployment]:
        """`replicas` pods in the Service for as long as the block runs."""
        try:
            for pod in [self.start() for _ in range(replicas)]:
                self.wait_ready(pod)
                self._service.append(pod)
            self._configure()
            self._nginx = subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")])
            self._until(lambda: httpx2.get(f"{self.url}/health", timeout=5).status_code == 200)
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
        """A pod that is not in the Service yet."""
        self._number += 1
        told = self.manifest.environment | self.environment
        port = int(told["SPACEPORT_PORT"])
        container = running.start(self.engine, self.image, port=port, environment=told)
        pod = Pod(f"inference-{self._number}", container, running.address(container, port))
        self.pods.append(pod)
        self._tell(f"{pod.name} starts")
        return pod

    def wait_ready(self, pod: Pod) -> None:
        """Ask it as the kubelet does, until it is ready."""
        self._until(
            lambda: httpx2.get(f"{pod.url}{self.manifest.ready_path}", timeout=3).status_code == 200,
            period=self.manifest.ready_period,
        )
        self._tell(f"{pod.name} is ready")

    def roll(self, *, pre_stop: bool = True) -> None:
        """A rolling update: each pod is replaced, the new one first."""
        for old in list(self._service):
            self.add()
            time.sleep(max(0.0, self.manifest.min_ready - LAG))
            self.end(old, pre_stop=pre_stop)

    def add(self) -> None:
        """One pod more in the Service."""
        new = self.start()
        self.wait_ready(new)
        time.sleep(LAG)
        self._service.append(new)
        self._reload()

    def end(self, pod: Pod, *, pre_stop: bool = True) -> None:
        """End a pod as the kubelet does, while the Service learns of it."""
        self._tell(f"{pod.name} is to end")
        leaving = threading.Timer(LAG, self._take, [pod])
        leaving.start()
        began = time.monotonic()
        time.sleep(self.manifest.pre_stop if pre_stop else 0)
        pod.container.kill("SIGTERM")
        left = self.manifest.grace - (time.monotonic() - began)
        try:
            status = pod.container.wait(timeout=max(left, 0.1))["StatusCode"]
            pod.ended = f"exit {status} after {time.monotonic() - began:.0f} s"
        except Exception:  # docker raises whatever its HTTP library does
            pod.container.kill("SIGKILL")
            pod.ended = "killed after the grace"
        leaving.join()
        self._tell(f"{pod.name}: {pod.ended}")

    def kill(self, pod: Pod) -> None:
        """A pod that dies: nobody is told, and the Service learns of it some time later."""
        pod.container.kill("SIGKILL")
        pod.ended = "killed"
        self._tell(f"{pod.name} is killed")
        time.sleep(LAG)
        self._take(pod)

    @property
    def in_service(self) -> list[Pod]:
        return list(self._service)

    def _take(self, pod: Pod) -> None:
        self._service.remove(pod)
        self._reload()

    def _reload(self) -> None:
        self._configure()
        command = ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-s", "reload"]
        subprocess.run(command, check=True, capture_output=True)
        self._tell(f"in the Service: {', '.join(pod.name for pod in self._service)}")

    def _configure(self) -> None:
        places = " ".join(f"server {pod.url.removeprefix('http://')} max_fails=0;" for pod in self._service)
        (self.folder / "nginx.conf").write_text(CONF.format(folder=self.folder, port=self.port, servers=places))

    def _tell(self, text: str) -> None:
        print(f"  {time.monotonic() - self._began:5.0f} s  {text}", flush=True)

    def _until(self, condition: Callable[[], bool], *, period: float = 0.1, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.TransportError):
                if condition():
                    return
            time.sleep(period)
        raise TimeoutError("it was not ready in time")
