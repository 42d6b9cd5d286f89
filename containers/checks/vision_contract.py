"""The contract of the vision image: every dialect answers, the container is confined, and SIGTERM drains it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx2

from containers import sandbox
from containers.checks.image_checks import (
    CheckResult,
    answer_and_stop,
    inspect_container,
    inspect_image,
    require,
    run_check,
)

TITLE = "Spaceport vision"
MAX_MB = 350
# A picture of 2 × 2 pixels.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DA8P8/E8P//wwMDAAnAwT//kLGpgAAAABJRU5ErkJggg=="
TIMEOUT = httpx2.Timeout(120)


def check(client: Any, image: str) -> Iterator[CheckResult]:
    """Run the image and yield one result per promise."""
    yield from inspect_image(client, image, MAX_MB)
    with sandbox.run_container(client, image, command="serve") as (container, url):
        yield run_check("a picture as a file", _check_file, url)
        yield run_check("the map of what decided", _check_map, url)
        yield run_check("SageMaker", _check_sagemaker, url)
        yield run_check("Vertex AI, instances", _check_vertex, url)
        yield from inspect_container(container)
        yield run_check("SIGTERM: the answer finishes, exit status 0", _check_drain, container, url)


def _check_file(url: str) -> str:
    return _label(_post(f"{url}/v1/classify", content=base64.b64decode(PICTURE)).json()["results"][0])


def _check_map(url: str) -> str:
    response = _post(f"{url}/v1/classify?explain=occlusion", content=_picture(), headers={"accept": "image/png"})
    require(response.content.startswith(b"\x89PNG"), "it isn't a PNG")
    return f"{len(response.content):,} bytes"


def _check_sagemaker(url: str) -> str:
    require(httpx2.get(f"{url}/ping", timeout=TIMEOUT).status_code == 200, "/ping is not 200")
    headers = {"content-type": "application/x-image"}
    return _label(_post(f"{url}/invocations", content=_picture(), headers=headers).json()["results"][0])


def _check_vertex(url: str) -> str:
    predictions = _post(f"{url}/predict", json={"instances": [{"b64": PICTURE}] * 2}).json()["predictions"]
    require(len(predictions) == 2, "not one prediction per instance")
    return _label(predictions[0])


def _check_drain(container: Any, url: str) -> str:
    """Stop the container during an answer, and read the answer to its end."""

    def answer() -> str:
        response = _post(f"{url}/v1/classify?explain=occlusion", content=_picture())  # it takes seconds
        return f"{_label(response.json()['results'][0])} with a map"

    return answer_and_stop(container, url, answer)


def _picture() -> bytes:
    return base64.b64decode(PICTURE)


def _label(result: dict[str, Any]) -> str:
    best = result["labels"][0]
    return f"{best['label']!r}, {best['probability']:.1%}"


def _post(url: str, **request: Any) -> httpx2.Response:
    return httpx2.post(url, timeout=TIMEOUT, **request).raise_for_status()
