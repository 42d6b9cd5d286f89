"""Embeds and reranks in this process, through sentence-transformers."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from backends.errors import NotConfigured
from backends.kinds.transformers.models import Settings, resolve_device, resolve_dtype, source
from backends.machine.zero_gpu import ZERO_GPU
from backends.settings import require_package
from backends.vectors.checks import check_scores
from backends.vectors.types import Embeddings

_models: dict[tuple[str, Settings], Any] = {}
_lock = threading.Lock()


def embed_texts(settings: Settings, texts: Sequence[str]) -> Embeddings:
    """Return one vector per text; blocks, and loads the model at the first call."""
    if not texts:
        return Embeddings(())
    model = _load(settings, "SentenceTransformer")
    rows = model.encode(list(texts), show_progress_bar=False, convert_to_numpy=True)
    return Embeddings(tuple(array("f", row.astype("float32").tobytes()) for row in rows))


def score_texts(settings: Settings, query: str, texts: Sequence[str]) -> list[float]:
    """Return one score per text; blocks, and loads the model at the first call."""
    if not texts:
        return []
    model = _load(settings, "CrossEncoder")
    if model.num_labels != 1:
        name = settings.model
        raise NotConfigured(f"{name} isn't a reranker: it returns {model.num_labels} scores.", "Set another model.")
    scores = model.predict([(query, text) for text in texts], show_progress_bar=False)
    return check_scores([float(score) for score in scores], len(texts))


def _load(settings: Settings, class_name: str) -> Any:
    with _lock:
        key = class_name, settings
        if key not in _models:
            _models[key] = _new_model(settings, class_name)
        return _models[key]


def _new_model(settings: Settings, class_name: str) -> Any:
    require_package("sentence_transformers", extra="demo")
    location, filename = source(settings.model) if settings.model else ("", None)
    if not location or filename:
        raise NotConfigured(
            "This target has no embedding model or reranker.", "Set model to the Hub id or folder of one."
        )
    import sentence_transformers
    import torch

    # Outside of the calls that it lends a GPU to, ZeroGPU's cuda only keeps models.
    device = "cpu" if ZERO_GPU else resolve_device(settings.device)
    make: Callable[..., Any] = getattr(sentence_transformers, class_name)
    try:
        return make(
            location, device=device, model_kwargs={"dtype": getattr(torch, resolve_dtype(settings.dtype, device))}
        )
    except Exception as error:  # errors of the Hub, of transformers and of the file system
        raise NotConfigured(
            f"The model {location} could not be loaded ({type(error).__name__}).",
            "Check its name, the network, HF_TOKEN if it is gated, and that it fits into memory.",
        ) from error
