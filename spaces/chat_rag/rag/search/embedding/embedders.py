"""Embeds text with all-MiniLM-L6-v2, or another model; vectors have length 1, so that a dot product is the cosine."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

from backends import NotConfigured
from backends.machine.processors import has_accelerator, has_feature
from backends.stopwatch import now
from rag.documents import ShareReport
from rag.errors import RetrievalError
from rag.search.embedding.batches import batch_by_length, compute_batches
from rag.search.embedding.calibration_texts import (
    MULTILINGUAL_SIMILARITY,
    TRANSLATIONS,
    UNRELATED_PASSAGES,
    UNRELATED_QUESTIONS,
    UNUSUAL_COSINE,
)
from rag.search.embedding.onnx_embedder import OnnxModel
from rag.search.embedding.onnx_export import HUB_MODEL, cached_export, is_exported, packaged_model
from rag.search.embedding.prompts import Prompts
from rag.search.embedding.target_models import PREFIX, TargetModel, full_name
from rag.search.embedding.token_vectors import Span, TokenVectors
from rag.search.embedding.torch_embedder import BFLOAT16_FEATURE, TorchModel
from ui.process.environment import text_setting
from ui.process.threads import lower_priority

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)
RUNTIME = "SPACEPORT_EMBEDDINGS_RUNTIME"
BATCH_TOKENS = 512  # with padding; larger batches were no faster and occupy a processor for longer
# Someone waits for these, and all processors should finish at the same time.
URGENT_BATCH_TOKENS = 128
TOKENISE_BATCH = 512  # texts, which are sorted by length among themselves
UPLOAD_NICE = 10  # as the processes that read files
FAILURE_SECONDS = 60.0
_KEPT_QUESTIONS = 32  # more than there are searches at a time
# English models have 30,000 to 50,000 tokens; those for many languages 100,000 and more.
_MULTILINGUAL_VOCABULARY = 60_000


class Model(Protocol):
    """A sentence model that tokenises separately and computes in several threads at once."""

    workers: int
    prompts: Prompts
    vocabulary_size: int  # 0 if it is unknown

    def prepare_thread(self) -> None:
        """Prepare the calling thread; each thread that computes calls this once."""

    def tokenise(self, texts: Sequence[str]) -> tuple[Any, list[int]]:
        """Return the input of `vectors`, and the number of tokens of each text."""

    def token_spans(self, text: str) -> list[Span]:
        """Return the characters of each token of a text, without the special ones."""

    def vectors(self, tokens: Any, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return one vector of length 1 for each of these texts."""

    def token_vectors(self, tokens: Any, rows: Sequence[int]) -> list[TokenVectors]:
        """Return the vector of each of these texts, and those of its tokens."""


class Embedder:
    """An embedding model that is loaded at its first use; safe to call from several threads.

    `model` is a Hub id or a folder for sentence-transformers, or a folder with model.onnx and tokenizer.json,
    which onnxruntime runs without torch. `target:NAME` is an embedding model of the catalogue, on any platform.
    """

    def __init__(self, model: str | None = None) -> None:
        self.name = model or os.environ.get("SPACEPORT_EMBEDDINGS") or packaged_model() or HUB_MODEL
        self._model: Model | None = None
        self._failure: tuple[float, str, str] | None = None  # when it could not be loaded, and the error
        self._unrelated: float | None = None
        self._multilingual: bool | None = None
        self._load_lock = threading.Lock()
        self._questions: dict[bytes, tuple[TokenVectors, list[Span]]] = {}  # by hash: no question stays in memory
        self._question_lock = threading.Lock()

    @property
    def full_name(self) -> str:
        """The name of the model that the vectors depend on."""
        return full_name(self.name) if self.name.startswith(PREFIX) else self.name

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory: the first use can take minutes."""
        return self._model is not None

    def warm(self) -> None:
        """Load the model now."""
        self._unrelated_cosine()

    def encode(self, texts: Sequence[str], report: ShareReport | None = None) -> NDArray[np.float32]:
        """Return one vector per passage, as the rows of an array; `report` receives the share that is done.

        An error that `report` raises cancels the work and propagates. A model reads only as many tokens of a text as
        it was trained with: all-MiniLM-L6-v2 reads 256.
        """
        prompt = self._load().prompts.passage
        return self._encode([f"{prompt}{text}" for text in texts] if prompt else texts, report)

    def encode_question(self, question: str) -> NDArray[np.float32]:
        """Return the vector to search with; some models embed a question in another way than a passage."""
        return self.encode_question_tokens(question)[0].vector

    @property
    def multilingual(self) -> bool:
        """Whether the model knows many languages, judged by the size of its vocabulary, or else by translations."""
        if self._multilingual is None:
            size = self._load().vocabulary_size
            self._multilingual = size >= _MULTILINGUAL_VOCABULARY if size else self._knows_translations()
        return self._multilingual

    def similarity(self, cosine: float) -> float:
        """Return a cosine on a scale where texts that have nothing to do with each other are near 0.

        Some models give any two texts a cosine of 0.7 and more. For the others, such as the default, nothing changes.
        """
        unrelated = self._unrelated_cosine()
        return (cosine - unrelated) / (1 - unrelated) if unrelated > UNUSUAL_COSINE else cosine

    def _unrelated_cosine(self) -> float:
        if self._unrelated is None:
            passages = self.encode(UNRELATED_PASSAGES)
            cosines = [
                float(value) for question in UNRELATED_QUESTIONS for value in passages @ self.encode_question(question)
            ]
            self._unrelated = sum(cosines) / len(cosines)
        return self._unrelated

    def _knows_translations(self) -> bool:
        texts, translations = self.encode(list(TRANSLATIONS)), self.encode(list(TRANSLATIONS.values()))
        similarities = [self.similarity(float(cosine)) for cosine in (texts * translations).sum(axis=1)]
        return sum(similarities) / len(similarities) >= MULTILINGUAL_SIMILARITY

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vector of each passage, and those of its tokens. A question needs them: no upload comes before."""
        prompt = self._load().prompts.passage
        return self._encode_tokens([f"{prompt}{text}" for text in texts])

    def encode_question_tokens(self, question: str) -> tuple[TokenVectors, list[Span]]:
        """Return the vectors of a question and of its tokens, and the characters of each token in the question.

        There can be more vectors, since some models put words of their own before a question. An answer needs them
        several times: those of the last questions are kept.
        """
        key = blake2b(question.encode(), digest_size=16).digest()
        with self._question_lock:
            if key in self._questions:
                return self._questions[key]
        model = self._load()
        prompt = model.prompts.question
        spans = [(start - len(prompt), end - len(prompt)) for start, end in model.token_spans(f"{prompt}{question}")]
        encoded = self._encode_tokens([f"{prompt}{question}"])[0], spans
        with self._question_lock:
            self._questions[key] = encoded
            while len(self._questions) > _KEPT_QUESTIONS:
                del self._questions[next(iter(self._questions))]
        return encoded

    def _encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        model = self._load()
        tokens, lengths = model.tokenise(texts)
        parts = batch_by_length(lengths, URGENT_BATCH_TOKENS)
        batches = compute_batches(model.token_vectors, tokens, parts, self._question_pool, 2 * model.workers)
        encoded = {row: vectors for rows, batch in batches for row, vectors in zip(rows, batch, strict=True)}
        return [encoded[at] for at in range(len(texts))]

    def _encode(self, texts: Sequence[str], report: ShareReport | None = None) -> NDArray[np.float32]:
        import numpy as np

        model, vectors, completed = self._load(), np.empty((0, 0), dtype=np.float32), 0
        for start in range(0, len(texts), TOKENISE_BATCH):
            tokens, lengths = model.tokenise(texts[start : start + TOKENISE_BATCH])
            batches = list(batch_by_length(lengths, BATCH_TOKENS))
            # A question is one batch: it has its own threads and never waits for an upload.
            pool = self._question_pool if len(batches) == 1 else self._upload_pool
            for rows, batch_vectors in compute_batches(model.vectors, tokens, batches, pool, 2 * model.workers):
                if not len(vectors):
                    vectors = np.empty((len(texts), batch_vectors.shape[1]), dtype=np.float32)
                vectors[[start + row for row in rows]] = batch_vectors
                completed += len(rows)
                if report:
                    report(completed / len(texts))
        return vectors

    def _load(self) -> Model:
        with self._load_lock:
            if self._model is None:
                model = self._load_or_fail()
                self._question_pool = ThreadPoolExecutor(model.workers, "embed-question", model.prepare_thread)
                self._upload_pool = ThreadPoolExecutor(model.workers, "embed-upload", _prepare_upload_thread, (model,))
                self._model = model
            return self._model

    def _load_or_fail(self) -> Model:
        """Load the model; soon after a failure, fail in the same way: the Hub's client tries for a minute and more."""
        if self._failure and now() < self._failure[0] + FAILURE_SECONDS:
            raise RetrievalError(*self._failure[1:])
        try:
            return load(self.name)
        except RetrievalError as error:
            logger.warning("%s %s", error, error.__cause__ or "")
            self._failure = now(), error.message, error.remedy
            raise


def _prepare_upload_thread(model: Model) -> None:
    lower_priority(UPLOAD_NICE)  # an upload has a thread for each processor, which answers need, too
    model.prepare_thread()


def load(name: str) -> Model:
    """Load a model on the runtime that is fastest on this machine, or connect to its target.

    That is torch on a GPU or on a processor with a bfloat16 unit. Otherwise it is onnxruntime for the default model,
    which is exported at the first use, and torch for any other model of the Hub. `SPACEPORT_EMBEDDINGS_RUNTIME` chooses
    for the default model.
    """
    if name.startswith(PREFIX):
        return TargetModel(name)
    if is_exported(name):
        return OnnxModel(name)
    if name in (packaged_model(), HUB_MODEL) and not _prefers_torch() and (folder := cached_export()):
        return OnnxModel(str(folder))
    return TorchModel(name)


def _prefers_torch() -> bool:
    """Return whether the default model runs on torch: as the environment says, or where torch is faster."""
    runtime = text_setting(RUNTIME, None)
    if runtime not in ("", "onnx", "torch"):
        raise NotConfigured(f"{RUNTIME} is {runtime!r}; it must be onnx or torch.", "Set one of them, or unset it.")
    return runtime == "torch" if runtime else has_accelerator() or has_feature(BFLOAT16_FEATURE)
