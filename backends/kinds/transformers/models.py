"""Loads transformers models, and turns a request into prompt tokens and generation options."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.chat.thoughts.reasoning import OPEN
from backends.errors import NotConfigured, Rejected
from backends.local_models import model_files
from backends.local_models.gguf_reader import shared_readers
from backends.machine.processors import limit_spin_wait
from backends.machine.zero_gpu import ZERO_GPU
from backends.types import ChatRequest

HUB_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
DEVICES = ("auto", "cuda", "mps", "cpu")
DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` is a Hub id, a folder, a .gguf file or `hf:owner/repo/file.gguf`; the default is a small model.

    `device` is auto, cuda, mps or cpu; `dtype` is auto, float32, bfloat16 or float16.
    """

    model: str | None = None
    device: str = "auto"
    dtype: str = "auto"


def source(model: str | None) -> tuple[str, str | None]:
    """The folder or Hub id of `model`, and the name of its GGUF file or None."""
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
        raise NotConfigured(f"There is no model file {path}.", "Fix the `model` setting, or write a Hub ID.")
    return str(path.parent), path.name


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with its tokenizer, device, context in tokens and end-of-answer tokens."""

    name: str
    model: Any
    tokenizer: Any
    device: str
    context: int | None
    stop_ids: list[int]

    def prompt(self, request: ChatRequest) -> tuple[list[int], bool]:
        """The tokens of the conversation, and whether the chat template ends with an open `<think>`."""
        if request.model not in (None, self.name):
            raise Rejected(f"This target serves {self.name}, not {request.model}.", "Leave out `model`.", status=404)
        messages = [{"role": message.role, "content": message.text} for message in request.messages]
        try:
            text = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        except Exception as error:  # jinja's errors, or a ValueError if there is no template
            raise Rejected(
                f"{self.name} cannot take this conversation ({error}).",
                "Choose a model that was trained to chat, or change the roles as the message says.",
                status=400,
            ) from error
        return self.tokenizer(text, add_special_tokens=False)["input_ids"], text.rstrip().endswith(OPEN)

    def generation_options(self, request: ChatRequest, prompt_tokens: int) -> dict[str, Any]:
        """The arguments of `generate` as plain data; `Rejected` if the prompt leaves no room for an answer."""
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


_models: dict[Settings, LoadedModel] = {}
_lock = threading.Lock()


def load(settings: Settings) -> LoadedModel:
    """Return the model for these settings and load it if necessary; blocks."""
    # The first check is without the lock: a process that was forked while the lock was held would wait forever.
    if settings not in _models:
        with _lock:
            if settings not in _models:
                _models[settings] = _load(settings)
    return _models[settings]


def _load(settings: Settings) -> LoadedModel:
    limit_spin_wait()
    import torch
    import transformers

    location, filename = source(settings.model)
    # On ZeroGPU, cuda exists from the start, for models to be put on it; the GPU itself is lent to a call.
    device = "cuda" if ZERO_GPU else resolve_device(settings.device)
    dtype = getattr(torch, resolve_dtype(settings.dtype, device))
    options = {"gguf_file": filename} if filename else {}
    try:
        with shared_readers() if filename else nullcontext():
            tokenizer = transformers.AutoTokenizer.from_pretrained(location, **options)
            model = transformers.AutoModelForCausalLM.from_pretrained(location, dtype=dtype, **options)
        model = model.to(device).eval()
    except Exception as error:  # the readers of a damaged file may raise anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise NotConfigured(
            f"The model {filename or location} could not be loaded ({reason[:300]}).",
            "Check its name, the network, HF_TOKEN if it is gated, and that it fits into memory.",
        ) from error
    ends = model.generation_config.eos_token_id
    stops = {*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id} - {None}
    name = Path(filename).stem if filename else location
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return LoadedModel(name, model, tokenizer, "ZeroGPU" if ZERO_GPU else device, context, sorted(stops))


def resolve_device(device: str) -> str:
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, usable in available.items() if usable)
    if not available[device]:
        raise NotConfigured(f"PyTorch sees no {device} device here.", 'Set device = "auto" for this target.')
    return device


def resolve_dtype(dtype: str, device: str) -> str:
    """The number format: 16 bits need half the memory on a GPU; CPUs are slow with anything but float32."""
    if dtype != "auto":
        return dtype
    if device == "cuda":
        return "bfloat16"
    return "float16" if device == "mps" else "float32"
