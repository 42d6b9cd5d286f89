"""The kind `backends.vision.server`: a classifier behind the address of a vision server (containers/vision)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.errors import Unreachable
from backends.http.client import get_json, post_json
from backends.http.endpoint import Endpoint
from backends.http.settings import HttpSettings
from backends.kinds.openai import base_url
from backends.settings import read_settings
from backends.types import Health
from backends.vision.types import LABELS, Classification, Classifier, Label


@dataclass(frozen=True, slots=True)
class ServerSettings(HttpSettings):
    """`url` is the server's address, with or without /v1."""

    url: str
    api_key: str | None = None


def connect(settings: Mapping[str, Any]) -> ServerClassifier:
    """Return a client for the server at `url`; makes no request yet."""
    options = read_settings(ServerSettings, settings)
    endpoint = Endpoint(base_url(options.url), options.api_key or None, *options.timeouts, network=options.network)
    return ServerClassifier(endpoint)


class ServerClassifier(Classifier):
    """Sends pictures to `{endpoint.url}/classify`."""

    local = False

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def check(self) -> Health:
        """Ask which model the server has."""
        document = await get_json(self._endpoint, "/models")
        try:
            return Health(model=str(document["data"][0]["id"]))
        except (LookupError, TypeError) as error:
            raise self._not_a_vision_server() from error

    async def classify(self, picture: bytes, *, top: int = LABELS, explain: bool = False) -> Classification:
        """Return the labels that the server finds."""
        body = {"image": base64.b64encode(picture).decode(), "top_k": top}
        document = await post_json(self._endpoint, "/classify", body | ({"explain": "occlusion"} if explain else {}))
        try:
            (result,) = document["results"]
            labels = tuple(Label(str(each["label"]), float(each["probability"])) for each in result["labels"])
            heat_map = result.get("heat_map")
            return Classification(labels, base64.b64decode(heat_map) if heat_map else None)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._not_a_vision_server() from error

    def _not_a_vision_server(self) -> Unreachable:
        return Unreachable(
            f"{self._endpoint.label} answered, but not as a vision server.", "Check the url of this target."
        )
