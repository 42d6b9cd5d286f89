"""The settings of a deployment to Vertex AI, and their validation."""

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
    "requests": f"{_ONLINE}/request_count",  # per minute and replica
    "gpu_busy": f"{_PROMETHEUS}/vertex_dcgm_fi_dev_gpu_util",
    "vllm_cache": f"{_PROMETHEUS}/vertex_vllm_gpu_cache_usage_perc",
    "vllm_waiting": f"{_PROMETHEUS}/vertex_vllm_num_requests_waiting",
}
TRAFFIC = ("all", "canary", "linear")
TRANSPORTS = ("grpc", "rest")
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_PLACE = re.compile(r"[a-z0-9][a-z0-9.:-]*")  # a project's ID or number, a location
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}"), re.compile(r"[a-z0-9_-]{0,63}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class VertexSettings:
    """One endpoint with one model, both called `name`; durations are in seconds.

    `image` serves `predict_route` and `health_route` on `port` with the variables `env`; `artifact_uri` is a folder
    gs://…, which the container reads from AIP_STORAGE_URI. `accelerator` is the API's name, such as NVIDIA_L4.
    `metric` is a key of METRICS or the full name of a metric; its `metric_target` is in percent, or in requests.
    `log_table` is a BigQuery table that receives the share `log_share` of requests and answers. On an update,
    `traffic` is "all" at once, "canary" (`step_percent`, then the rest) or "linear" (steps of `step_percent`), with
    `step_seconds` between steps. `deployment_seconds` is the time for a container to become ready. `price` is the
    price of a machine that isn't in the price table, such as "1.25/h". `api_endpoint` is another address of the API:
    plain http, for tests.
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
        """The resource name of the project and location."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def endpoint(self) -> str:
        """The endpoint's resource name, which is known before it exists."""
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
        """The row of the price table: the machine, with its accelerator if the machine type has none."""
        if self.price:
            return self.price
        attached = self.accelerator if self.accelerator and self.machine_type.startswith("n1-") else ""
        short_name = attached.removeprefix("NVIDIA_").removeprefix("TESLA_")
        count = f"{self.accelerator_count} x " if self.accelerator_count > 1 else ""
        return f"vertex/{self.location}/{self.machine_type}" + (f" + {count}{short_name}" if short_name else "")


def _check_names(settings: VertexSettings) -> None:
    if not _NAME.fullmatch(settings.name):
        raise _invalid(
            "name", settings.name, "Use at most 63 of a-z, 0-9 and -, with a letter first and no - at the end."
        )
    for name in ("project", "location"):
        if not _PLACE.fullmatch(getattr(settings, name)):
            raise _invalid(
                name, getattr(settings, name), "Write it as gcloud does, such as my-project and us-central1."
            )
    if not settings.image.strip():
        raise _invalid("image", settings.image, "Name a container image in Artifact Registry.")
    for name in ("predict_route", "health_route"):
        if not getattr(settings, name).startswith("/"):
            raise _invalid(name, getattr(settings, name), "Start it with a slash.")
    if settings.artifact_uri and not settings.artifact_uri.startswith("gs://"):
        raise _invalid("artifact_uri", settings.artifact_uri, "Write gs://bucket/folder.")
    if settings.log_table and not settings.log_table.startswith("bq://"):
        raise _invalid("log_table", settings.log_table, "Write bq://project.dataset.table.")
    for name, value in settings.labels.items():
        if not (_LABEL[0].fullmatch(name) and isinstance(value, str) and _LABEL[1].fullmatch(value)):
            raise _invalid("labels", f"{name}={value}", "Use at most 63 of a-z, 0-9, _ and -.")
    for name, value in settings.env.items():
        if not isinstance(value, str) or name.startswith("AIP_"):
            raise _invalid("env", name, "Write each variable as text; Vertex AI sets those with AIP_ itself.")


def _check_numbers(settings: VertexSettings) -> None:
    if not 1 <= settings.min_replicas <= settings.max_replicas:
        replicas = f"{settings.min_replicas} to {settings.max_replicas}"
        raise _invalid(
            "min_replicas, max_replicas", replicas, "Set a minimum of 1 or more, and a maximum that isn't below it."
        )
    bounds = {
        "port": (1, 65535),
        "accelerator_count": (1, 16),
        "step_percent": (1, 99),
        "metric_target": (1, 100 if settings.metric in ("cpu", "gpu", "gpu_busy", "vllm_cache") else 10**6),
        "log_share": (0.0001, 1),
        "deployment_seconds": (60, 7200),
        "step_seconds": (0, 86400),
        "poll_seconds": (0.001, 600),
        "wait_seconds": (0.001, 86400),
        "call_seconds": (0.001, 3600),
    }
    for name, (low, high) in bounds.items():
        if not low <= getattr(settings, name) <= high:
            raise _invalid(name, getattr(settings, name), f"Set it from {low:g} to {high:g}.")


def _check_choices(settings: VertexSettings) -> None:
    for name, choices in (("traffic", TRAFFIC), ("transport", TRANSPORTS)):
        if getattr(settings, name) not in choices:
            raise _invalid(name, getattr(settings, name), f"Write one of: {', '.join(choices)}.")
    if settings.metric and settings.metric not in METRICS and "/" not in settings.metric:
        raise _invalid("metric", settings.metric, f"Write one of: {', '.join(METRICS)}; or the full name of a metric.")
    if settings.metric in ("gpu", "gpu_busy") and not settings.accelerator:
        raise _invalid("metric", settings.metric, "Name the accelerator as well, such as NVIDIA_L4.")
    if settings.api_endpoint:
        address = urlsplit(settings.api_endpoint)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise _invalid("api_endpoint", settings.api_endpoint, "Write http://127.0.0.1:PORT or https://HOST.")
        # Plain http would expose a token for the whole account.
        if address.scheme == "http" and address.hostname not in _LOOPBACK:
            raise _invalid("api_endpoint", settings.api_endpoint, "Use https: plain http is only for this machine.")


def _invalid(name: str, value: object, remedy: str) -> NotConfigured:
    return NotConfigured(f"The setting {name} can't be {str(value)[:80]!r}.", remedy)
