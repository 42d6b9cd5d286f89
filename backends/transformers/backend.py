"""A model inside this process through transformers: on cuda, mps or the processor, or on ZeroGPU's GPU."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import importlib.util
import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from typing import Any, TypeVar

from backends.errors import BackendError, Interrupted, NotConfigured, Overloaded, Rejected
from backends.settings import read_settings, require_package
from backends.streams import closing, iterate_in_thread
from backends.transformers.models import DEVICES, DTYPES, ZERO_GPU, Settings, load, source
from backends.transformers.tokens import Sampler, Streamer, TokenReader
from backends.types import Backend, ChatRequest, Done, Event, Health, Usage

F = TypeVar("F", bound=Callable[..., Any])


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend on the model; nothing is loaded or downloaded before the first request."""
    for package in ("torch", "transformers"):
        require_package(package, extra="transformers")
    chosen = read_settings(Settings, settings)
    for name, value, known in (("device", chosen.device, DEVICES), ("dtype", chosen.dtype, DTYPES)):
        if value not in known:
            raise NotConfigured(f"The setting {name} is {value!r}.", f"Write one of: {', '.join(known)}.")
    source(chosen.model)  # a file that does not exist is told now
    return TransformersBackend(chosen)


class TransformersBackend:
    """Streams from a model that is loaded at the first request and shared by equal targets."""

    local = True  # a check would load the model

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; the first call loads the model, and downloads it if it must."""
        events = iterate_in_thread(lambda gone: self._answer(request, gone))
        async with closing(events):
            async for event in events:
                yield event

    async def check(self) -> Health:
        """Load the model, and say what it is and where it runs."""
        found = await asyncio.to_thread(load, self._settings)
        return Health(found.name, found.context, f"on {found.device}")

    async def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Load the model ahead of the first question, which downloads it if it is not here."""
        yield f"Loading {self._settings.model or 'the default model'}", None
        found = await asyncio.to_thread(load, self._settings)
        yield f"{found.name} is here", 1.0

    async def aclose(self) -> None:
        """Nothing to do: the model stays loaded for other targets until the process ends."""

    def _answer(self, request: ChatRequest, gone: threading.Event) -> Iterator[Event]:
        """Generate one answer; blocks. It ends within a token once `gone` is set."""
        found = load(self._settings)
        ids, thinking = found.prompt(request)
        reader = TokenReader(found.decode, request.stop, thinking=thinking)
        plan = found.plan(request, len(ids))
        count, last = 0, None
        tokens = generate(self._settings, ids, plan)
        try:
            with contextlib.closing(tokens):
                for last in tokens:
                    count += 1
                    if gone.is_set():
                        return
                    yield from reader.read(last)
                    if reader.stopped:
                        break
        except Exception as error:
            raise _failure(error, spoke=reader.has_output) from error
        yield from reader.flush()
        cut = count >= plan["max_new_tokens"] and last not in plan["eos_token_id"] and not reader.stopped
        yield Done("length" if cut else "stop", Usage(len(ids), count))


def _on_lent_gpu(function: F) -> F:
    """On a ZeroGPU Space, run `function` in a process that is lent a GPU; elsewhere leave it as it is.

    ZeroGPU wants to see the function before the app starts, which is why this happens at the import.
    """
    # A folder named `spaces` in the working directory is no package: it has no origin.
    found = importlib.util.find_spec("spaces") if ZERO_GPU else None
    if found is None or found.origin is None:
        return function
    import spaces

    decorated: F = spaces.GPU(duration=_seconds)(function)
    return decorated


def _seconds(_settings: Settings, _ids: list[int], plan: Mapping[str, Any]) -> int:
    """How long to ask for the GPU; a visitor with less quota left than this is refused."""
    return min(120, 20 + int(plan["max_new_tokens"]) // 15)


@_on_lent_gpu
def generate(settings: Settings, ids: list[int], plan: Mapping[str, Any]) -> Generator[int, None, None]:
    """Yield the tokens of the answer as they are made; closing this stops within a token.

    Only plain data goes in and out, since on ZeroGPU this runs in another process.
    """
    import torch

    model = load(settings).model
    if ZERO_GPU:
        model.to("cuda")
    made: queue.SimpleQueue[list[int] | BaseException | None] = queue.SimpleQueue()
    closed = threading.Event()

    def work() -> None:
        try:
            prompt = torch.tensor([ids], device=model.device)
            model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                generation_config=_generation_config(model, plan),
                logits_processor=[Sampler(*plan["sampling"], device=model.device)] if plan["sampling"] else [],
                stopping_criteria=[lambda *_, **__: closed.is_set()],
                streamer=Streamer(made.put),
            )
            made.put(None)
        except BaseException as error:  # carried over to the reader, who raises it
            made.put(error)

    thread = threading.Thread(target=work, name="spaceport-generate", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield from item
    finally:
        closed.set()
        thread.join()


def _generation_config(model: Any, plan: Mapping[str, Any]) -> Any:
    config = copy.deepcopy(model.generation_config)
    # The model's own sampling defaults would be warned about: the sampler chooses, not transformers.
    config.update(do_sample=False, temperature=None, top_p=None, top_k=None, max_length=None)
    ends = plan["eos_token_id"]
    config.update(max_new_tokens=plan["max_new_tokens"], eos_token_id=ends, pad_token_id=ends[0] if ends else 0)
    return config


def _failure(error: Exception, *, spoke: bool) -> BackendError:
    """The error for what torch, or ZeroGPU's queue, raised while the answer was made."""
    if isinstance(error, BackendError):
        return error
    # gradio.Error, which ZeroGPU raises, keeps its text in `message`.
    reason = (str(getattr(error, "message", error)) or type(error).__name__).splitlines()[0][:300]
    if spoke:
        return Interrupted(f"The answer was cut off: {reason}.", "Ask again; the text so far is kept.")
    if ZERO_GPU:
        return Overloaded(
            f"ZeroGPU lent no GPU: {reason}.", "Wait a little, or sign in to Hugging Face for more quota."
        )
    if type(error).__name__ == "OutOfMemoryError":
        return Overloaded(f"There is no memory left for this answer ({reason}).", "Ask again later, or for less.")
    return Rejected(f"The model failed ({reason}).", "Look at the log; another dtype or device may help.", status=500)
