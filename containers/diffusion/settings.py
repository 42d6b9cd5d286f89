"""The settings of the diffusion server, from environment variables."""

from __future__ import annotations

from dataclasses import dataclass, field

from backends.diffusion.limits import PictureLimits
from inference.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class DiffusionSettings(ServerSettings):
    """The settings of the diffusion server; SPACEPORT_API_KEY_FILE names a file with the key.

    `model` is a folder with model_index.json, or a repository of the Hub; `variant` names its smaller files, such as
    fp16. One request is worked on at a time and `queue` requests wait. `steps` and `guidance` are for a request that
    names none; without `guidance` it's the pipeline's. A request may have at most `max_pictures` of `max_pixels`,
    `max_steps` and `max_prompt_characters`. `refused_words` is a list with commas, `refused_words_file` a file with
    a line for each. With `safety_checker` off, nothing looks at the pictures.
    """

    model: str | None = None
    model_name: str | None = None
    storage_uri: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    variant: str | None = None
    safety_checker: str = "on"
    queue: int = 8
    steps: int = 30
    guidance: float | None = None
    max_pixels: int = PictureLimits.max_pixels
    max_steps: int = PictureLimits.max_steps
    max_pictures: int = PictureLimits.max_pictures
    max_prompt_characters: int = PictureLimits.max_prompt_characters
    refused_words: str = ""
    refused_words_file: str | None = None
    silence_seconds: float = 15.0
    api_key: str | None = field(default=None, repr=False)
    health_route: str | None = None
    predict_route: str | None = None
