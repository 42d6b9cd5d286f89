"""What a deployment to SageMaker is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backends import NotConfigured

MODES = ("real-time", "serverless", "async", "components")
STRATEGIES = ("blue-green", "canary", "linear")


@dataclass(frozen=True, slots=True)
class Settings:
    """One endpoint, called `name`, and everything that belongs to it; what it makes is named after it.

    `image` is the container (this project's, a Hugging Face or a vLLM one), `role` what it runs as. `model` is a
    local file or folder, which is sent to `bucket` (as one tar.gz with `archive`), or an s3:// prefix or archive
    that is there already; without it the image has its own. `mode` is "real-time", "serverless" (`memory_mb`,
    `max_concurrency`), "async" (`output`, an s3:// prefix) or "components", which scales to zero; there
    `accelerators` and `memory_mb` are what one copy of the model gets.

    It scales from `instances` to `max_instances` (copies, where there are components) for `target_concurrency`
    requests each; times are in seconds. An update moves the traffic at once ("blue-green"), or first `step_percent`
    ("canary"), or so much at a time ("linear"), waits `wait_seconds`, and goes back when one of the `alarms` rings
    (besides our own). `capture` is an s3:// prefix for a sample of what is asked and answered. `budget_usd` a month
    warns `budget_email`.
    """

    name: str
    role: str
    image: str
    region: str = "us-east-1"
    profile: str | None = None
    model: str = ""
    bucket: str = ""
    archive: bool = False
    mode: str = "real-time"
    instance_type: str = "ml.g5.xlarge"
    instances: int = 1
    max_instances: int = 1
    target_concurrency: float = 4.0
    scale_in_seconds: int = 300
    scale_out_seconds: int = 60
    memory_mb: int = 4096
    max_concurrency: int = 5
    accelerators: int = 1
    output: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    download_timeout: int = 1200
    health_timeout: int = 900
    strategy: str = "canary"
    step_percent: int = 10
    wait_seconds: int = 300
    alarms: list[str] = field(default_factory=list)
    capture: str = ""
    capture_percent: int = 10
    tags: Mapping[str, str] = field(default_factory=dict)
    budget_usd: float = 0.0
    budget_email: str = ""
    poll_seconds: float = 15.0
    timeout_seconds: float = 3600.0
    url: str | None = None

    def __post_init__(self) -> None:
        for problem, remedy in _problems(self):
            raise NotConfigured(problem, remedy)


def _problems(chosen: Settings) -> list[tuple[str, str]]:
    """What cannot be deployed like that, each with what to write instead."""
    found = []
    local = chosen.model and not chosen.model.startswith("s3://")
    if chosen.mode not in MODES:
        found.append((f"There is no mode {chosen.mode!r}.", f"Write one of: {', '.join(MODES)}."))
    if chosen.strategy not in STRATEGIES:
        found.append((f"There is no strategy {chosen.strategy!r}.", f"Write one of: {', '.join(STRATEGIES)}."))
    if local and not chosen.bucket:
        found.append(("A model of this machine needs a bucket to be sent to.", "Set bucket, or model to s3://…."))
    if chosen.mode == "async" and not chosen.output:
        found.append(("An asynchronous endpoint writes its answers to S3.", "Set output to s3://bucket/prefix."))
    if chosen.budget_usd and not chosen.budget_email:
        found.append(("A budget has to warn somebody.", "Set budget_email."))
    if chosen.max_instances < chosen.instances:
        found.append(("max_instances is below instances.", "Raise it."))
    if not 1 <= chosen.step_percent <= 50:
        found.append((f"{chosen.step_percent} % is no step of an update.", "Set step_percent from 1 to 50."))
    return found
