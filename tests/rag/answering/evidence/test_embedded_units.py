"""Only the units whose words fit a question are embedded, and that changes nothing for those."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from rag.answering.evidence.candidates import retrieve_candidates
from rag.answering.evidence.features.names import NAMES, RELATIVE
from rag.answering.evidence.features.units import Measurer
from rag.answering.evidence.model import packaged_model
from rag.answering.evidence.question_analysis.questions import Question
from rag.answering.evidence.selection import find_quotes
from rag.answering.evidence.units.split import Unit, find_units
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from rag.search.embedding.token_vectors import TokenVectors

QUESTION = "How high is the lighthouse of Vardoe?"
ANSWER = "The lighthouse of Vardoe is 20 metres high."
TEXT = "# Harbours of the north\n\n" + " ".join(
    ANSWER if number == 70 else f"Ship number {number} carries {number + 3} crates of herring to the harbour."
    for number in range(140)
)


class RecordingEmbedder(Embedder):
    """The real embedder, which records the texts of units."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        self.texts += texts
        return super().encode_tokens(texts)


@pytest.fixture(scope="module")
def recorder(embedder: Embedder) -> RecordingEmbedder:  # `embedder` skips the tests where the model is missing
    return RecordingEmbedder()


@pytest.fixture(scope="module")
def units(recorder: RecordingEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Unit]]:
    """The sentences among which the answer to the question is."""
    path = tmp_path_factory.mktemp("harbours") / "harbours.md"
    path.write_text(TEXT, encoding="utf-8")
    library = Library(recorder)
    library.add(path)
    passages = retrieve_candidates([library], QUESTION, recorder)
    yield find_units(passages, {document.id: document for document in library.documents})
    library.close()


def test_few_sentences_of_a_long_text_are_embedded(units: list[Unit], recorder: RecordingEmbedder) -> None:
    passages = [*dict.fromkeys(unit.passage for unit in units if unit.passage)]
    recorder.texts.clear()
    selection = find_quotes(QUESTION, passages, {unit.document.id: unit.document for unit in units}, recorder)
    assert len(units) > 80
    assert selection.quotes[0].text == ANSWER
    # Twenty, the sentences before them, and the empty text of the column that a sentence doesn't have.
    assert len(recorder.texts) <= 41


def test_the_features_of_a_unit_are_the_same_among_few_and_among_all(
    units: list[Unit], recorder: RecordingEmbedder
) -> None:
    measurer = Measurer(Question(QUESTION), units)
    likely = packaged_model().likely_units(measurer.words)
    among_all, among_few = measurer.table(recorder)[likely], measurer.table(recorder, likely)
    own = np.isin(NAMES, [name for _, name in RELATIVE], invert=True)
    assert np.allclose(among_all[:, own], among_few[:, own], atol=1e-6)
    # How far behind the best a unit is differs by the same number for all: the order and the shares stay.
    shift = (among_all - among_few)[:, ~own]
    assert np.allclose(shift, shift[:1], atol=1e-6)


def test_all_sentences_of_a_short_text_are_embedded(units: list[Unit]) -> None:
    few = units[:19]
    assert packaged_model().likely_units(Measurer(Question(QUESTION), few).words) == [*range(len(few))]


def test_a_unit_with_the_name_of_the_question_is_embedded_however_well_others_fit(units: list[Unit]) -> None:
    model, words = packaged_model(), Measurer(Question(QUESTION), units).words
    last = int(model.words.scores(words).argmin())
    meant = np.arange(len(units)) == last
    assert last not in model.likely_units(words)
    assert last in model.likely_units(words, meant)
    assert len(model.likely_units(words, meant)) == len(model.likely_units(words))
