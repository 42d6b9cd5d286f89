"""The settings of the vision server, from environment variables."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class VisionSettings(ServerSettings):
    """The settings of the vision server; SPACEPORT_API_KEY_FILE names a file with the key.

    `model` is a folder with config.json, preprocessor_config.json and model.onnx, or a repository of the Hub.
    `parallel` requests are answered at once and `queue` requests wait; the defaults of both, and of `threads`, follow
    the batch and the machine.
    Pictures of several requests run together, at most `batch` at once; 1 turns that off. A picture has at most
    `max_megapixels`, which is checked before it's decoded, and a request at most `max_pictures`. `top_k` is how many
    labels a picture gets if the request doesn't say.
    """

    model: str | None = None
    model_name: str | None = None
    storage_uri: str | None = None
    parallel: int | None = None
    threads: int | None = None
    queue: int | None = None
    batch: int = 8
    top_k: int = 5
    max_megapixels: float = 50.0
    max_pictures: int = 64
    api_key: str | None = field(default=None, repr=False)
    health_route: str | None = None
    predict_route: str | None = None
