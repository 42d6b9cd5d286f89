"""The settings of a deployment to SageMaker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from backends import NotConfigured

MODES = ("real-time", "serverless", "async", "components")
STRATEGIES = ("blue-green", "canary", "linear")


@dataclass(frozen=True, slots=True)
class SageMakerSettings:
    """One endpoint, called `name`, with its resources, whose names start with `name`.

    `image` is the container (this project's, a Hugging Face or a vLLM one), `role` is its IAM role. `model` is a local
    file or folder, which is uploaded to `bucket` (as one tar.gz with `archive`), or an s3:// prefix or archive; leave
    it empty if the image contains the model. `mode` is "real-time", "serverless" (`memory_mb`, `max_concurrency`),
    "async" (`output`, an s3:// prefix) or "components", which scales to zero; there, `accelerators` and `memory_mb`
    are for one copy of the model.

    The endpoint scales from `instances` to `max_instances` (copies, with components) for `target_concurrency` requests
    each; times are in seconds. An update moves the traffic at once ("blue-green"), first `step_percent` of it
    ("canary"), or `step_percent` at a time ("linear"), waits `wait_seconds`, and rolls back if one of the `alarms` or
    the deployment's own alarm is triggered. `capture` is an s3:// prefix for a sample of questions and answers.
    `budget_usd` is a monthly budget with alerts to `budget_email`.
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

    @property
    def price_row(self) -> str:
        """The row of the price table: the machine."""
        return f"sagemaker/{self.region}/{self.instance_type}"


def _problems(settings: SageMakerSettings) -> Iterator[tuple[str, str]]:
    """Yield each invalid combination of settings with its remedy."""
    is_local_model = settings.model and not settings.model.startswith("s3://")
    if settings.mode not in MODES:
        yield f"There is no mode {settings.mode!r}.", f"Write one of: {', '.join(MODES)}."
    if settings.strategy not in STRATEGIES:
        yield f"There is no strategy {settings.strategy!r}.", f"Write one of: {', '.join(STRATEGIES)}."
    if is_local_model and not settings.bucket:
        yield "A local model needs a bucket for the upload.", "Set bucket, or set model to s3://…."
    if settings.mode == "async" and not settings.output:
        yield "An asynchronous endpoint writes its answers to S3.", "Set output to s3://bucket/prefix."
    if settings.budget_usd and not settings.budget_email:
        yield "A budget needs an address for its alerts.", "Set budget_email."
    if settings.max_instances < settings.instances:
        yield "max_instances is below instances.", "Raise it."
    if not 1 <= settings.step_percent <= 50:
        yield f"step_percent can't be {settings.step_percent}.", "Set step_percent from 1 to 50."
