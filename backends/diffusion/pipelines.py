"""Loads a text-to-image pipeline of diffusers from a folder or the Hub."""

from __future__ import annotations

import inspect
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.errors import NotConfigured
from backends.machine.processors import limit_spin_wait
from backends.machine.zero_gpu import ZERO_GPU
from backends.settings import require_package

DEFAULT_MODEL = "stable-diffusion-v1-5/stable-diffusion-v1-5"  # 5.5 GB; 2.8 GB with variant = "fp16"
INDEX, WEIGHTS = "model_index.json", ".safetensors"
DEVICES = ("auto", "cuda", "mps", "cpu")
DTYPES = ("auto", "float32", "bfloat16", "float16")
_NEEDED = {"prompt", "num_inference_steps", "generator", "callback_on_step_end"}
_OTHERS = {"image", "video", "num_frames"}  # parameters of image-to-image and video pipelines
_REMEDY = "Name a text-to-image pipeline of diffusers, such as stable-diffusion-v1-5/stable-diffusion-v1-5."


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """`model` is a folder or a repository of the Hub, `variant` the name of its smaller files, such as fp16.

    The safety checker is that of the model, if it has one; without it, nothing looks at the pictures.
    """

    model: str = DEFAULT_MODEL
    device: str = "auto"
    dtype: str = "auto"
    variant: str | None = None
    safety_checker: bool = True


@dataclass(frozen=True, slots=True)
class LoadedPipeline:
    """A pipeline on its device. It keeps state while it runs: who uses it holds the lock."""

    name: str
    pipeline: Any = field(repr=False)
    device: str
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def checks_safety(self) -> bool:
        """Whether something looks at the pictures."""
        return getattr(self.pipeline, "safety_checker", None) is not None


_loaded: dict[PipelineSettings, LoadedPipeline] = {}
_lock = threading.Lock()


def load(settings: PipelineSettings) -> LoadedPipeline:
    """Return the pipeline for these settings, and load or download it if necessary; blocks.

    `NotConfigured` says what is wrong with the model.
    """
    # The first check is without the lock: a process that was forked while the lock was held would wait forever.
    if settings not in _loaded:
        with _lock:
            if settings not in _loaded:
                _loaded[settings] = _load(settings)
    return _loaded[settings]


def check_model(settings: PipelineSettings) -> None:
    """Raise `NotConfigured` for a wrong setting, or if there is no such model; imports neither torch nor diffusers."""
    for package in ("torch", "diffusers", "transformers"):
        require_package(package, extra="diffusion")
    for name, value, valid in (("device", settings.device, DEVICES), ("dtype", settings.dtype, DTYPES)):
        if value not in valid:
            raise NotConfigured(f"The setting {name} is {value!r}.", f"Write one of: {', '.join(valid)}.")
    folder = Path(settings.model)
    if folder.is_dir():
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    elif settings.model.count("/") != 1 or settings.model.startswith((".", "/")):
        raise NotConfigured(f"There is no folder {settings.model}.", _REMEDY)
    else:
        files = _listing(settings.model)
    if INDEX not in files:
        raise NotConfigured(f"{settings.model} has no {INDEX}.", _REMEDY)
    if not any(name.endswith(WEIGHTS) for name in files):
        # The other format, pickle, can run code when it's read.
        raise NotConfigured(f"{settings.model} has no weights as safetensors.", "Choose a model that has them.")


def default_size(pipeline: Any) -> tuple[int, int] | None:
    """Return the width and height that a pipeline makes by default, or None if it doesn't say."""
    parameters = inspect.signature(pipeline.__call__).parameters
    width, height = (getattr(parameters.get(name), "default", None) for name in ("width", "height"))
    if isinstance(width, int) and isinstance(height, int):
        return width, height
    network = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    places = getattr(getattr(network, "config", None), "sample_size", None)
    places = getattr(pipeline, "default_sample_size", None) or places
    factor = getattr(pipeline, "vae_scale_factor", None)
    if not isinstance(factor, int) or not isinstance(places, (int, list, tuple)):
        return None
    height, width = (places, places) if isinstance(places, int) else places[-2:]
    return width * factor, height * factor


def _listing(repository: str) -> set[str]:
    """Return the files of a repository: those in the cache, or else those on the Hub."""
    from backends.local_models.hub import cached_file, list_files

    index = cached_file(repository, INDEX)
    cached = {path.relative_to(index.parent).as_posix() for path in index.parent.rglob("*")} if index else set()
    # A download that was cut off leaves the index alone.
    return cached if any(name.endswith(WEIGHTS) for name in cached) else list_files(repository)


def _load(settings: PipelineSettings) -> LoadedPipeline:
    check_model(settings)
    limit_spin_wait()
    import diffusers
    import torch

    from backends.kinds.transformers.models import resolve_device

    _silence()
    # On ZeroGPU, cuda exists from the start, for models to be put on it; the GPU itself is lent to a call.
    device = "cuda" if ZERO_GPU else resolve_device(settings.device)
    name = ("float32" if device == "cpu" else "float16") if settings.dtype == "auto" else settings.dtype
    options: dict[str, Any] = {"dtype": getattr(torch, name), "use_safetensors": True}
    if settings.variant:
        options["variant"] = settings.variant
    if not settings.safety_checker:
        options |= {"safety_checker": None, "requires_safety_checker": False}
    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(settings.model, **options)
        pipeline.set_progress_bar_config(disable=True)
        _check(pipeline, settings.model)
        pipeline = pipeline.to(device)
    except NotConfigured:
        raise
    except Exception as error:  # the readers of a damaged file may raise anything
        raise NotConfigured(
            f"The model {settings.model} can't be loaded ({_first_line(error)}).",
            "Check the network, HF_TOKEN if it is gated, the free disk, and that it fits into memory.",
        ) from error
    return LoadedPipeline(Path(settings.model).name, pipeline, "ZeroGPU" if ZERO_GPU else device)


def _silence() -> None:
    """Turn off the libraries' words: some repeat the prompt, such as the part of it that is too long for the model."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def _check(pipeline: Any, model: str) -> None:
    """Raise `NotConfigured` for a pipeline that makes something else, or of something else, such as of a picture."""
    from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING

    parameters = set(inspect.signature(pipeline.__call__).parameters)
    is_listed = type(pipeline) in AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()
    if _NEEDED - parameters or (_OTHERS & parameters and not is_listed):
        raise NotConfigured(f"{model} is a {type(pipeline).__name__}, which makes no pictures from a prompt.", _REMEDY)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
