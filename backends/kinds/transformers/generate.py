"""Generates the tokens of one answer, in this process or on a GPU that ZeroGPU lends."""

from __future__ import annotations

import copy
import queue
import threading
from collections.abc import Generator, Mapping
from typing import Any

from backends.kinds.transformers.models import Settings, load
from backends.kinds.transformers.tokens import Sampler, Streamer
from backends.machine.zero_gpu import on_zero_gpu


def _gpu_seconds(_settings: Settings, _ids: list[int], options: Mapping[str, Any]) -> int:
    """The GPU time to ask for; ZeroGPU refuses a visitor whose remaining quota is smaller."""
    return min(120, 20 + int(options["max_new_tokens"]) // 15)


@on_zero_gpu(_gpu_seconds)
def generate(settings: Settings, ids: list[int], options: Mapping[str, Any]) -> Generator[int, None, None]:
    """Yield the tokens of the answer as they are generated; closing this stops within one token.

    Arguments and results are plain data, because on ZeroGPU this runs in another process.
    """
    import torch

    model = load(settings).model
    output: queue.SimpleQueue[list[int] | BaseException | None] = queue.SimpleQueue()
    closed = threading.Event()

    def work() -> None:
        try:
            prompt = torch.tensor([ids], device=model.device)
            model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                generation_config=_generation_config(model, options),
                logits_processor=[Sampler(*options["sampling"], device=model.device)] if options["sampling"] else [],
                stopping_criteria=[lambda *_, **__: closed.is_set()],
                streamer=Streamer(output.put),
            )
            output.put(None)
        except BaseException as error:  # the reader raises it
            output.put(error)

    thread = threading.Thread(target=work, name="spaceport-generate", daemon=True)
    thread.start()
    try:
        while (item := output.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield from item
    finally:
        closed.set()
        thread.join()


def _generation_config(model: Any, options: Mapping[str, Any]) -> Any:
    config = copy.deepcopy(model.generation_config)
    # `Sampler` samples, so the model's own sampling defaults would only cause warnings.
    config.update(do_sample=False, temperature=None, top_p=None, top_k=None, max_length=None)
    ends = options["eos_token_id"]
    config.update(max_new_tokens=options["max_new_tokens"], eos_token_id=ends, pad_token_id=ends[0] if ends else 0)
    return config
