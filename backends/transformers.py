"""A model inside this process through transformers: on cuda, mps or the processor, or on ZeroGPU's GPU."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import importlib.util
import os
import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from backends import model_files
from backends.errors import BackendError, Interrupted, NotConfigured, Overloaded, Rejected
from backends.processors import spin_briefly
from backends.reasoning import OPEN
from backends.settings import read_settings, require
from backends.streams import closing, in_thread
from backends.tokens import TokenReader
from backends.types import Backend, ChatRequest, Done, Event, Health, Usage

F = TypeVar("F", bound=Callable[..., Any])

HUB_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
DEVICES = ("auto", "cuda", "mps", "cpu")
DTYPES = ("auto", "float32", "bfloat16", "float16")
ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` is a Hub id, a folder, a .gguf file or `hf:owner/repo/file.gguf`; without it a small default.

    `device` is auto, cuda, mps or cpu; `dtype` is auto, float32, bfloat16 or float16.
    """

    model: str | None = None
    device: str = "auto"
    dtype: str = "auto"


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend on the model; nothing is loaded or downloaded before the first request."""
    for package in ("torch", "transformers"):
        require(package, extra="transformers")
    chosen = read_settings(Settings, settings)
    for name, value, known in (("device", chosen.device, DEVICES), ("dtype", chosen.dtype, DTYPES)):
        if value not in known:
            raise NotConfigured(f"The setting {name} is {value!r}.", f"Write one of: {', '.join(known)}.")
    source(chosen.model)  # a file that does not exist is told now
    return TransformersBackend(chosen)


def source(model: str | None) -> tuple[str, str | None]:
    """The folder or Hub id that `model` means, and the GGUF file in it where it is one."""
    if model is None:
        packaged = model_files.packaged_model()
        return (str(packaged.parent), packaged.name) if packaged else (HUB_MODEL, None)
    if model.startswith("hf:"):
        owner, repository, filename = [*model.removeprefix("hf:").split("/", 2), "", ""][:3]
        if not filename:
            raise NotConfigured(f"{model!r} names no file on the Hub.", "Write hf:owner/repo/file.gguf.")
        return f"{owner}/{repository}", filename
    path = Path(model).expanduser()
    if path.suffix != ".gguf":
        return (str(path) if path.is_dir() else model), None
    if not path.is_file():
        raise NotConfigured(f"There is no model file {path}.", "Correct model, or write a Hub id.")
    return str(path.parent), path.name


class TransformersBackend:
    """Streams from a model that is loaded at the first request and shared by equal targets."""

    local = True  # a check would load the model

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; the first call loads the model, and downloads it if it must."""
        events = in_thread(lambda gone: self._answer(request, gone))
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
            raise _failure(error, spoke=reader.spoke) from error
        yield from reader.flush()
        cut = count >= plan["max_new_tokens"] and last not in plan["eos_token_id"] and not reader.stopped
        yield Done("length" if cut else "stop", Usage(len(ids), count))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with its tokenizer, and what is to be known of them."""

    name: str
    model: Any
    tokenizer: Any
    device: str
    context: int | None
    stop_ids: list[int]

    def prompt(self, request: ChatRequest) -> tuple[list[int], bool]:
        """The tokens of the conversation, and whether the template has already opened a thought."""
        if request.model not in (None, self.name):
            raise Rejected(f"This target serves {self.name}, not {request.model}.", "Leave model out.", status=404)
        turns = [{"role": message.role, "content": message.content} for message in request.messages]
        try:
            text = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        except Exception as error:  # jinja's errors, and a ValueError where there is no template
            raise Rejected(
                f"{self.name} cannot take this conversation ({error}).",
                "Choose a model that was trained to chat, or change the roles as it says.",
                status=400,
            ) from error
        return self.tokenizer(text, add_special_tokens=False)["input_ids"], text.rstrip().endswith(OPEN)

    def plan(self, request: ChatRequest, prompt_tokens: int) -> dict[str, Any]:
        """How to generate, as plain data; `Rejected` if the prompt leaves no room for an answer."""
        room = request.max_tokens if self.context is None else self.context - prompt_tokens
        if room < 1:
            raise Rejected(
                f"The prompt has {prompt_tokens} tokens, and {self.name} has a context of {self.context}.",
                "Send less text, or choose a model with a longer context.",
                status=400,
            )
        return {
            "max_new_tokens": min(request.max_tokens, room),
            "eos_token_id": self.stop_ids,
            "sampling": (request.temperature, request.top_p, request.seed) if request.temperature > 0 else None,
        }

    def decode(self, ids: list[int]) -> str:
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


_loaded: dict[Settings, Loaded] = {}
_loading = threading.Lock()


def load(settings: Settings) -> Loaded:
    """The model for these settings, loaded if it is not; blocks."""
    # Looked up without the lock first: a process that was forked while it was held would wait for ever.
    if settings not in _loaded:
        with _loading:
            if settings not in _loaded:
                _loaded[settings] = _load(settings)
    return _loaded[settings]


def _load(settings: Settings) -> Loaded:
    spin_briefly()
    import torch
    import transformers

    place, filename = source(settings.model)
    # On ZeroGPU there is no GPU in this process: the weights wait in memory until one is lent.
    device = "cpu" if ZERO_GPU else _device(settings.device)
    dtype = getattr(torch, _dtype(settings.dtype, device))
    options = {"gguf_file": filename} if filename else {}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **options)
        model = transformers.AutoModelForCausalLM.from_pretrained(place, dtype=dtype, **options)
        model = model.to(device).eval()
    except Exception as error:  # a damaged file makes the readers of its format raise anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise NotConfigured(
            f"The model {filename or place} could not be loaded ({reason[:300]}).",
            "Check its name, the network, HF_TOKEN if it is gated, and that it fits into memory.",
        ) from error
    ends = model.generation_config.eos_token_id
    stops = {*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id} - {None}
    name = Path(filename).stem if filename else place
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return Loaded(name, model, tokenizer, "ZeroGPU" if ZERO_GPU else device, context, sorted(stops))


def _device(wanted: str) -> str:
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, usable in there.items() if usable)
    if not there[wanted]:
        raise NotConfigured(f"PyTorch sees no {wanted} device here.", 'Set device = "auto" for this target.')
    return wanted


def _dtype(wanted: str, device: str) -> str:
    """The number format: half the memory on a GPU; processors are slow with anything but float32."""
    if wanted != "auto":
        return wanted
    if ZERO_GPU or device == "cuda":
        return "bfloat16"
    return "float16" if device == "mps" else "float32"


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
                streamer=_Streamer(made.put),
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


class _Streamer:
    """What `generate` calls with each new token; the first call brings the prompt back."""

    def __init__(self, put: Callable[[list[int]], None]) -> None:
        self._put = put
        self._begun = False

    def put(self, value: Any) -> None:
        if self._begun:
            self._put(value.flatten().tolist())
        self._begun = True

    def end(self) -> None:
        """The caller of `generate` knows by itself."""


class Sampler:
    """Chooses each token with a random generator of its own.

    torch's global one is shared by all threads: with it, a seed would repeat nothing while two answers
    are made.
    """

    def __init__(self, temperature: float, top_p: float | None, seed: int | None, *, device: Any) -> None:
        import torch

        self._temperature, self._top_p = temperature, top_p
        self._random = torch.Generator(device)
        if seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(seed)

    def __call__(self, _ids: Any, scores: Any) -> Any:
        """Leave one token possible, drawn from the scores."""
        import torch

        shares = torch.softmax(scores.float() / self._temperature, dim=-1)
        if self._top_p is not None and self._top_p < 1:
            ordered, order = shares.sort(descending=True)
            ordered[ordered.cumsum(-1) - ordered >= self._top_p] = 0.0
            ordered[..., 0] += 1e-9  # top_p = 0 leaves the most likely token
            shares = torch.zeros_like(shares).scatter(-1, order, ordered)
        chosen = torch.multinomial(shares, 1, generator=self._random)
        return torch.full_like(scores, float("-inf")).scatter(-1, chosen, 0.0)


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
