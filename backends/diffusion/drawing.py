"""Makes the pictures of one request, in this process or on a GPU that ZeroGPU lends."""

from __future__ import annotations

import gc
import io
import logging
import queue
import threading
from collections.abc import Callable, Generator
from typing import Any

from backends.diffusion.pipelines import LoadedPipeline, PipelineSettings, load
from backends.diffusion.previews import preview_steps, small_preview
from backends.diffusion.types import GeneratedPicture, PictureEvent, PictureRequest, Pictures, Progress
from backends.errors import BackendError, Overloaded, Rejected
from backends.machine.zero_gpu import on_zero_gpu

logger = logging.getLogger(__name__)
LOCK_SECONDS = 0.1  # between two looks whether the reader still waits


class Stopped(Exception):
    """The reader has left."""


def _gpu_seconds(_settings: PipelineSettings, request: PictureRequest, _stopped: object = None) -> int:
    """The GPU time to ask for: 15 s, and 0.2 s for each step of each picture, at most two minutes."""
    return min(120, 15 + (request.steps or 50) * request.count // 5)


@on_zero_gpu(_gpu_seconds)
def draw(
    settings: PipelineSettings, request: PictureRequest, stopped: threading.Event | None = None
) -> Generator[PictureEvent, None, None]:
    """Yield the progress, then the pictures; blocks. Closing this, or setting `stopped`, ends it after the step.

    Arguments and results are plain data, because on ZeroGPU this runs in another process, without `stopped`.
    """
    loaded = load(settings)
    events: queue.SimpleQueue[PictureEvent | BaseException] = queue.SimpleQueue()
    closed = threading.Event()

    def is_stopped() -> bool:
        return closed.is_set() or (stopped is not None and stopped.is_set())

    def work() -> None:
        try:
            events.put(_run(loaded, request, events.put, is_stopped))
        except BaseException as error:  # the reader raises it
            events.put(error)

    thread = threading.Thread(target=work, name="spaceport-draw", daemon=True)
    thread.start()
    try:
        while not isinstance(event := events.get(), Pictures):
            if isinstance(event, Stopped):
                return
            if isinstance(event, BaseException):
                raise event
            yield event
        yield event
    finally:
        closed.set()
        thread.join()


def _run(
    loaded: LoadedPipeline,
    request: PictureRequest,
    report: Callable[[Progress], None],
    is_stopped: Callable[[], bool],
) -> Pictures:
    """Return the pictures of a request whose seed and steps are set."""
    while not loaded.lock.acquire(timeout=LOCK_SECONDS):  # until the step of one that was stopped has ended
        if is_stopped():
            raise Stopped
    try:
        if is_stopped():
            raise Stopped
        output = loaded.pipeline(**_options(loaded, request, report, is_stopped))
        return _pictures(output, request)
    except Exception as error:
        raise _failure(error, request) from error
    finally:
        loaded.lock.release()
        _free_memory(loaded)


def _options(
    loaded: LoadedPipeline,
    request: PictureRequest,
    report: Callable[[Progress], None],
    is_stopped: Callable[[], bool],
) -> dict[str, Any]:
    """Return the arguments of the pipeline."""
    import torch

    assert request.steps and request.seed is not None  # noqa: S101 - the caller chooses both
    steps = request.steps

    def end_step(pipeline: Any, index: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if is_stopped():
            raise Stopped
        # Some schedulers need several calls of the network for a step.
        total = int(getattr(pipeline, "num_timesteps", 0) or steps)
        # A checker may find in the finished picture what it doesn't see in a preview.
        wanted = not loaded.checks_safety and index + 1 in preview_steps(total, request.previews)
        report(Progress(index + 1, total, small_preview(pipeline, tensors.get("latents")) if wanted else None))
        return {}

    seeds = range(request.seed, request.seed + request.count)
    options: dict[str, Any] = {
        "prompt": request.prompt,
        "num_inference_steps": steps,
        "num_images_per_prompt": request.count,
        # On the CPU, so that a seed makes nearly the same picture on every device.
        "generator": [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
        "callback_on_step_end": end_step,
    }
    if request.size:
        options["width"], options["height"] = request.size
    if request.guidance is not None:
        options["guidance_scale"] = request.guidance
    if request.negative_prompt:
        options["negative_prompt"] = request.negative_prompt
    return options


def _pictures(output: Any, request: PictureRequest) -> Pictures:
    """Return the pictures of a pipeline's output, without those that the safety checker has blackened."""
    flags = getattr(output, "nsfw_content_detected", None) or [False] * len(output.images)
    pictures = []
    for number, (image, flagged) in enumerate(zip(output.images, flags, strict=True)):
        if not flagged:
            buffer = io.BytesIO()
            image.save(buffer, "PNG")
            pictures.append(GeneratedPicture(buffer.getvalue(), (request.seed or 0) + number))
    if not pictures:
        raise _withheld()
    return Pictures(tuple(pictures), withheld=len(flags) - len(pictures))


def _withheld() -> Rejected:
    error = Rejected(
        "The safety checker withheld the picture.", "Ask in other words, or with another seed.", status=400
    )
    error.is_refusal = True
    return error


def _failure(error: Exception, request: PictureRequest) -> Exception:
    """Return the `BackendError` for what a pipeline raised."""
    if isinstance(error, (BackendError, Stopped)):
        return error
    if is_out_of_memory(error):
        size = f" of {request.size[0]} × {request.size[1]} pixels" if request.size else ""
        what = f"{request.count} pictures" if request.count > 1 else "a picture"
        remedy = "Ask for a smaller size or fewer pictures, or try again later."
        return Overloaded(f"There is no memory left for {what}{size}.", remedy)
    logger.error("the pipeline failed", exc_info=error)
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
    return Rejected(f"The model failed ({reason}).", "Try another size; the log has more.", status=500)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the memory of the GPU or of the machine was too small."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)  # torch's on the CPU


def _free_memory(loaded: LoadedPipeline) -> None:
    """Give the GPU's memory back that the next request may need in other pieces."""
    if loaded.device not in ("cuda", "ZeroGPU"):
        return
    import torch

    gc.collect()
    torch.cuda.empty_cache()
