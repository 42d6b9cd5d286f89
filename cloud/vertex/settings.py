"""What a deployment to Vertex AI is told, and what of it cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from backends import NotConfigured

_ONLINE, _PROMETHEUS = "aiplatform.googleapis.com/prediction/online", "prometheus.googleapis.com"
METRICS = {
    "cpu": f"{_ONLINE}/cpu/utilization",
    "gpu": f"{_ONLINE}/accelerator/duty_cycle",
    "requests": f"{_ONLINE}/request_count",  # a minute, of one replica
    "gpu_busy": f"{_PROMETHEUS}/vertex_dcgm_fi_dev_gpu_util",
    "vllm_cache": f"{_PROMETHEUS}/vertex_vllm_gpu_cache_usage_perc",
    "vllm_waiting": f"{_PROMETHEUS}/vertex_vllm_num_requests_waiting",
}
TRAFFIC = ("all", "canary", "linear")
TRANSPORTS = ("grpc", "rest")
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_PLACE = re.compile(r"[a-z0-9][a-z0-9.:-]*")  # a project's name or number, a location
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}"), re.compile(r"[a-z0-9_-]{0,63}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class VertexSettings:
    """One endpoint with one model, both called `name`; durations are in seconds.

    `image` serves `predict_route` and `health_route` on `port`, with `env` around it; `artifact_uri` is a folder
    gs://… that it finds in AIP_STORAGE_URI. `accelerator` is the API's name, such as NVIDIA_L4. `metric` is a word of
    METRICS or the full name of one; its `metric_target` is in percent, or in requests. `log_table` is a BigQuery
    table that gets the share `log_share` of requests and answers. On an update, `traffic` is "all" at once, "canary"
    (`step_percent`, then the rest) or "linear" (by `step_percent`), with `step_seconds` between.
    `deployment_seconds` is what a container gets to become ready. `price` says what a machine costs where the price
    table does not know it, such as "1.25/h". `api_endpoint` is another address of the API: plain http, for tests.
    """

    project: str
    image: str
    name: str = "spaceport"
    location: str = "us-central1"
    display_name: str | None = None
    artifact_uri: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    port: int = 8080
    predict_route: str = "/v1/chat/completions"
    health_route: str = "/ready"
    machine_type: str = "g2-standard-4"
    accelerator: str | None = None
    accelerator_count: int = 1
    min_replicas: int = 1
    max_replicas: int = 1
    metric: str | None = None
    metric_target: int = 60
    spot: bool = False
    dedicated: bool = True
    service_account: str | None = None
    log_table: str | None = None
    log_share: float = 0.1
    labels: Mapping[str, str] = field(default_factory=dict)
    traffic: str = "canary"
    step_percent: int = 10
    step_seconds: float = 120.0
    deployment_seconds: int = 1800
    wait_seconds: float = 3600.0
    poll_seconds: float = 10.0
    call_seconds: float = 60.0
    price: str | None = None
    transport: str = "grpc"
    api_endpoint: str | None = None

    def __post_init__(self) -> None:
        _check_names(self)
        _check_numbers(self)
        _check_choices(self)

    @property
    def parent(self) -> str:
        """Where all of it lies."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def endpoint(self) -> str:
        """The endpoint's resource name, known before it is there."""
        return f"{self.parent}/endpoints/{self.name}"

    @property
    def model(self) -> str:
        """The model's resource name, without a version."""
        return f"{self.parent}/models/{self.name}"

    @property
    def shares(self) -> tuple[int, ...]:
        """Percent of the traffic that a new version gets, step by step."""
        if self.traffic == "all":
            return (100,)
        if self.traffic == "canary":
            return (self.step_percent, 100)
        return (*range(self.step_percent, 100, self.step_percent), 100)

    @property
    def price_row(self) -> str:
        """The row of the price table: the machine, with its accelerator where that is not part of the type."""
        if self.price:
            return self.price
        added = self.accelerator if self.accelerator and self.machine_type.startswith("n1-") else None
        short = added.removeprefix("NVIDIA_").removeprefix("TESLA_") if added else ""
        count = f"{self.accelerator_count} x " if self.accelerator_count > 1 else ""
        return f"vertex/{self.location}/{self.machine_type}" + (f" + {count}{short}" if short else "")


def _check_names(given: VertexSettings) -> None:
    if not _NAME.fullmatch(given.name):
        raise _wrong("name", given.name, "Use at most 63 of a-z, 0-9 and -, a letter first and no - at the end.")
    for name in ("project", "location"):
        if not _PLACE.fullmatch(getattr(given, name)):
            raise _wrong(name, getattr(given, name), "Write it as gcloud does, such as my-project and us-central1.")
    if not given.image.strip():
        raise _wrong("image", given.image, "Name a container image in Artifact Registry.")
    for name in ("predict_route", "health_route"):
        if not getattr(given, name).startswith("/"):
            raise _wrong(name, getattr(given, name), "Begin it with a slash.")
    if given.artifact_uri and not given.artifact_uri.startswith("gs://"):
        raise _wrong("artifact_uri", given.artifact_uri, "Write gs://bucket/folder.")
    if given.log_table and not given.log_table.startswith("bq://"):
        raise _wrong("log_table", given.log_table, "Write bq://project.dataset.table.")
    for name, value in given.labels.items():
        if not (_LABEL[0].fullmatch(name) and isinstance(value, str) and _LABEL[1].fullmatch(value)):
            raise _wrong("labels", f"{name}={value}", "Use a-z, 0-9, _ and -, at most 63, as Google Cloud wants them.")
    for name, value in given.env.items():
        if not isinstance(value, str) or name.startswith("AIP_"):
            raise _wrong("env", name, "Give each variable as text; those with AIP_ are set by Vertex AI.")


def _check_numbers(given: VertexSettings) -> None:
    if not 1 <= given.min_replicas <= given.max_replicas:
        replicas = f"{given.min_replicas} to {given.max_replicas}"
        raise _wrong("min_replicas, max_replicas", replicas, "Set 1 or more, and no maximum below the minimum.")
    bounds = {
        "port": (1, 65535),
        "accelerator_count": (1, 16),
        "step_percent": (1, 99),
        "metric_target": (1, 100 if given.metric in ("cpu", "gpu", "gpu_busy", "vllm_cache") else 10**6),
        "log_share": (0.0001, 1),
        "deployment_seconds": (60, 7200),
        "step_seconds": (0, 86400),
        "poll_seconds": (0.001, 600),
        "wait_seconds": (0.001, 86400),
        "call_seconds": (0.001, 3600),
    }
    for name, (low, high) in bounds.items():
        if not low <= getattr(given, name) <= high:
            raise _wrong(name, getattr(given, name), f"Set it to {low:g} up to {high:g}.")


def _check_choices(given: VertexSettings) -> None:
    for name, known in (("traffic", TRAFFIC), ("transport", TRANSPORTS)):
        if getattr(given, name) not in known:
            raise _wrong(name, getattr(given, name), f"Write one of: {', '.join(known)}.")
    if given.metric and given.metric not in METRICS and "/" not in given.metric:
        raise _wrong("metric", given.metric, f"Write one of: {', '.join(METRICS)}; or the full name of a metric.")
    if given.metric in ("gpu", "gpu_busy") and not given.accelerator:
        raise _wrong("metric", given.metric, "Name the accelerator as well, such as NVIDIA_L4.")
    if given.api_endpoint:
        address = urlsplit(given.api_endpoint)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise _wrong("api_endpoint", given.api_endpoint, "Write http://127.0.0.1:PORT or https://HOST.")
        # A token for all of the account would go over the wire for everyone to read.
        if address.scheme == "http" and address.hostname not in _LOOPBACK:
            raise _wrong("api_endpoint", given.api_endpoint, "Plain http goes to this machine only: use https.")


def _wrong(name: str, value: object, remedy: str) -> NotConfigured:
    return NotConfigured(f"The setting {name} cannot be {str(value)[:80]!r}.", remedy)
