"""What a model expects before a question and a passage, with real, small, untrained models."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from rag.search.embedding.calibration_texts import UNRELATED_PASSAGES, UNRELATED_QUESTIONS, UNUSUAL_COSINE
from rag.search.embedding.embedders import Embedder
from rag.search.embedding.prompts import Prompts, prompts_of
from tests.rag.search.tiny_models import save_embedding_model

pytestmark = pytest.mark.skipif(not find_spec("sentence_transformers"), reason="sentence-transformers is not here")
E5 = Prompts("query: ", "passage: ")


@pytest.mark.parametrize(
    ("name", "prompts"),
    [
        ("intfloat/multilingual-e5-small", E5),
        ("/models/multilingual-e5-base/", E5),
        ("intfloat/e5-small-v2", E5),
        ("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", Prompts()),
        ("sentence-transformers/all-MiniLM-L6-v2", Prompts()),
        ("/models/e5/multilingual-minilm", Prompts()),
    ],
)
def test_a_family_has_its_prompts_by_its_name(name: str, prompts: Prompts) -> None:
    assert prompts_of(name, {}) == prompts


def test_the_files_of_a_model_come_before_its_name() -> None:
    assert prompts_of("my-e5-small", {"query": "Q ", "document": "D ", "clustering": "C "}) == Prompts("Q ", "D ")
    assert prompts_of("my-e5-small", {"query": "", "document": ""}) == E5


def test_a_question_and_a_passage_are_embedded_with_their_prompts(tmp_path: Path) -> None:
    declared = Embedder(save_embedding_model(tmp_path / "declared", {"query": "q1 ", "document": "d2 "}))
    by_name = Embedder(save_embedding_model(tmp_path / "tiny-e5-small", {}))
    plain = Embedder(save_embedding_model(tmp_path / "plain", {}))
    for embedder, question, passage in ((declared, "q1 ", "d2 "), (by_name, *_texts(E5)), (plain, "", "")):
        without_prompts = embedder._load()
        expected = without_prompts.vectors(without_prompts.tokenise([f"{question}tern", f"{passage}tern"])[0], [0, 1])
        assert np.allclose(embedder.encode_question("tern"), expected[0], atol=1e-5)
        assert np.allclose(embedder.encode(["tern"])[0], expected[1], atol=1e-5)


def _texts(prompts: Prompts) -> tuple[str, str]:
    return prompts.question, prompts.passage


def test_a_model_for_one_language_is_not_multilingual(embedder: Embedder, tmp_path: Path) -> None:
    assert not embedder.multilingual
    assert not Embedder(save_embedding_model(tmp_path / "plain", {})).multilingual
    assert Embedder(save_embedding_model(tmp_path / "large", {}, words=70_000)).multilingual


def test_a_cosine_is_put_on_another_scale_only_if_all_texts_are_near(embedder: Embedder, tmp_path: Path) -> None:
    assert embedder.similarity(0.5) == 0.5
    narrow = Embedder(save_embedding_model(tmp_path / "narrow", {}))  # with random weights, all texts are near
    cosines = [
        float(cosine)
        for question in UNRELATED_QUESTIONS
        for cosine in narrow.encode(UNRELATED_PASSAGES) @ narrow.encode_question(question)
    ]
    assert np.mean(cosines) > UNUSUAL_COSINE
    assert np.mean([narrow.similarity(cosine) for cosine in cosines]) == pytest.approx(0, abs=1e-5)
    assert narrow.similarity(1.0) == 1.0
