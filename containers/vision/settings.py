"""The settings of the vision server, from environment variables."""

from __future__ import annotations

from dataclasses import dataclass

from inference.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class VisionSettings(ServerSettings):
    """`model` is a folder with config.json, preprocessor_config.json and model.onnx, or a repository of the Hub.

    Pictures of several requests run together, at most `batch` at once; 1 turns that off. A picture has at most
    `max_megapixels`, which is checked before it's decoded, and a request at most `max_pictures`. `top_k` is how many
    labels a picture gets if the request doesn't say.
    """

    batch: int = 8
    top_k: int = 5
    max_megapixels: float = 50.0
    max_pictures: int = 64
