"""The indexes by words and by meaning: in memory, with Chroma, and with a real server that stops and restarts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from rag.documents import Chunk
from rag.errors import RetrievalError
from rag.search.bm25 import BM25Index
from rag.search.chroma_vectors import LAST_USED, PREFIX, VectorIndex, chroma_client, sweep
from rag.search.index import Index, contextual_vectors, mix_neighbours, pooled_statistics
from tests.helpers.servers import free_port, wait_until

BIRDS = [
    "Terns nest on the shingle.",
    "The gannet dives for herring.",
    "It comes up thirty metres on.",
    "Puffins burrow.",
]
ENGINES = ["The methane engine burns.", "Valves are tested.", "A pump is primed.", "The gannet is a crane here."]


def chunks(document_id: str, texts: list[str]) -> list[Chunk]:
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)]).tolist()
    return [
        Chunk(document_id, f"{document_id}.txt", start, start + len(text), text, None, "")
        for start, text in zip(starts, texts, strict=False)
    ]


def directions(count: int, seed: int = 0) -> Any:
    """Random vectors of length 1."""
    vectors = np.random.default_rng(seed).standard_normal((count, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(params=["memory", "Chroma"])
def index(request: pytest.FixtureRequest) -> Iterator[Index]:
    index = Index(chroma_client() if request.param == "Chroma" else None)
    yield index
    index.close()


def texts_of(hits: list[Any]) -> set[str]:
    return {hit.chunk.text for hit in hits}


def test_a_chunk_scores_for_the_words_of_its_neighbours(index: Index) -> None:
    index.add("birds", chunks("birds", BIRDS), directions(4))
    words = {hit.chunk.text: hit.lexical for hit in index.search("gannet", directions(1, 9)[0].tolist())}
    own, before, after, far = words[BIRDS[1]], words[BIRDS[0]], words[BIRDS[2]], words[BIRDS[3]]
    assert own > before > 0
    assert before == pytest.approx(after)
    assert far is None


def test_vectors_are_mixed_with_their_neighbours_and_have_length_1() -> None:
    mixed = contextual_vectors(directions(5).tolist())
    assert np.linalg.norm(mixed, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    cosines = mixed @ directions(5).T
    assert all(cosines[row, row] > cosines[row, other] for row in range(5) for other in range(5) if row != other)
    assert all(cosines[row, row + 1] > 0.2 for row in range(4))
    assert mix_neighbours(np.array([1.0, 0, 0, 0]), 0.5).tolist() == [1, 0.5, 0, 0]
    assert mix_neighbours(np.array([1.0]), 0.5).tolist() == [1]


def test_the_spread_covers_all_chunks(index: Index) -> None:
    vectors = directions(1000)
    texts = [f"Note {number}." for number in range(1000)]
    index.add("a", chunks("a", texts[:10]), vectors[:10])
    index.add("b", chunks("b", texts[10:]), vectors[10:])
    vector = directions(1, 9)[0]
    spread = index.search("note 7", vector.tolist(), limit=5)[0].spread
    cosines = np.concatenate([contextual_vectors(vectors[:10]) @ vector, contextual_vectors(vectors[10:]) @ vector])
    assert spread.chunks == 1000
    assert spread.dense == pytest.approx((cosines.mean(), cosines.std()), abs=0.02)
    assert spread.lexical[1] > 0


def test_pooled_statistics_equal_those_of_all_values() -> None:
    one, two = np.arange(7.0), np.arange(3.0) * 5
    both = np.concatenate([one, two])
    assert pooled_statistics([(7, one.mean(), one.std()), (3, two.mean(), two.std())]) == pytest.approx(
        (both.mean(), both.std())
    )


def test_a_removed_document_is_gone_from_both_indexes(index: Index) -> None:
    index.add("birds", chunks("birds", BIRDS), directions(4))
    index.add("engines", chunks("engines", ENGINES), directions(4, 1))
    index.remove("birds")
    assert texts_of(index.search("gannet", directions(1)[0].tolist())) == set(ENGINES)
    assert index.count("birds") == 0
    assert index.count("engines") == 4
    if isinstance(index._vectors, VectorIndex):
        entries = index._vectors._collection.get(include=["metadatas"])
        assert [entry["document"] for entry in entries["metadatas"]] == ["engines"] * 4
    index.remove("engines")
    assert index.search("gannet", directions(1)[0].tolist()) == []


def test_the_nearest_vectors_are_found(index: Index) -> None:
    vectors = directions(300)
    index.add("a", chunks("a", ["x"] * 200), vectors[:200])
    index.add("b", chunks("b", ["x"] * 100), vectors[200:])
    mixed = np.concatenate([contextual_vectors(vectors[:200]), contextual_vectors(vectors[200:])])
    vector = directions(1, 9)[0]
    dense = sorted((hit.dense for hit in index.search("y", vector.tolist(), limit=9) if hit.dense), reverse=True)
    assert dense == pytest.approx(sorted(mixed @ vector, reverse=True)[:9], abs=1e-5)


CLOSED = """
import numpy as np, psutil
from rag.search.index import Index
from tests.rag.search.test_index import chunks, directions
from ui.process.memory import return_free_memory

def fill(number):
    index = Index()
    index.add(f"d{number}", chunks(f"d{number}", ["A word."] * 3000), directions(3000))
    index.close()
    return_free_memory()
    return psutil.Process().memory_info().rss / 1e6

fill(0), fill(1)
before = fill(2)
print([fill(number) for number in range(3, 9)][-1] - before < 20)
"""


def test_the_memory_of_a_closed_index_is_free_again() -> None:
    """Embedded Chroma keeps 9 MB of 3,000 vectors, so a page needed more with each visitor who had been there."""
    assert subprocess.check_output([sys.executable, "-c", CLOSED], text=True).split() == ["True"]


def test_a_document_without_text_has_no_chunk(index: Index) -> None:
    index.add("empty", [], [])
    assert index.search("anything", directions(1)[0].tolist()) == []
    assert index.count("empty") == 0


def test_the_scores_do_not_depend_on_the_order_of_changes() -> None:
    once, changed = BM25Index(), BM25Index()
    once.add("birds", BIRDS)
    once.add("engines", ENGINES)
    changed.add("other", ["The gannet of another document.", "Engines."])
    changed.add("engines", ENGINES)
    changed.add("birds", BIRDS)
    changed.remove("other")
    expected, scores = (index.scores("gannet engines dive") for index in (once, changed))
    assert {name: values.tolist() for name, values in scores.items()} == {
        name: pytest.approx(values.tolist()) for name, values in expected.items()
    }
    assert any(values.any() for values in expected.values())


def test_the_rarer_word_and_the_shorter_chunk_weigh_more() -> None:
    index = BM25Index()
    index.add("d", ["herring", "gannet", "gannet and a good many other words", "crane", "boat"])
    herring, gannet, long_gannet, *others = index.scores("herring or gannet")["d"]
    assert herring > gannet > long_gannet > 0
    assert others == [0, 0]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """A function that starts a real Chroma server, always with the same folder and port; its `stop` ends the server."""
    port, running = free_port(), []
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(tmp_path), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        try:
            return httpx2.get(f"{url}/api/v2/heartbeat").status_code == 200
        except httpx2.TransportError:
            return False

    def start() -> str:
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=log))
        wait_until(is_up, 120, lambda: (tmp_path / "log").read_text())
        return url

    def stop() -> None:
        while running:
            running[-1].kill()
            running.pop().wait()

    start.stop = stop  # type: ignore[attr-defined]
    yield start
    stop()


def test_a_server_that_stops_is_an_error_and_one_that_restarts_answers(server: Any) -> None:
    client = chroma_client(server())
    index, vector = Index(client), directions(1)[0].tolist()
    index.add("birds", chunks("birds", BIRDS), directions(4))
    index.add("engines", chunks("engines", ENGINES), directions(4, 1))
    assert len(index.search("gannet", vector)) == 8
    server.stop()
    with pytest.raises(RetrievalError, match="not answering") as caught:
        index.search("gannet", vector)
    assert "chroma run" in caught.value.remedy
    with pytest.raises(RetrievalError, match="not answering"):
        index.add("more", chunks("more", BIRDS), directions(4, 2))
    index.remove("birds")  # removed here at once, and on the server after its restart
    server()
    assert texts_of(index.search("gannet", vector)) == set(ENGINES)
    assert index._vectors is not None
    assert index._vectors._collection.count() == 4
    index.add("more", chunks("more", BIRDS), directions(4, 2))
    assert texts_of(index.search("gannet", vector)) == {*BIRDS, *ENGINES}
    index.close()
    assert client.list_collections() == []


def test_a_server_without_its_data_is_an_error_with_a_remedy(server: Any) -> None:
    client = chroma_client(server())
    index = Index(client)
    index.add("birds", chunks("birds", BIRDS), directions(4))
    assert index._vectors is not None
    client.delete_collection(index._vectors._name)
    with pytest.raises(RetrievalError, match="no longer has the vectors") as caught:
        index.search("gannet", directions(1)[0].tolist())
    assert "add them again" in caught.value.remedy
    index.close()


def test_closing_without_the_server_leaves_the_collection_to_the_sweep(server: Any) -> None:
    client = chroma_client(server())
    index = Index(client)
    index.add("birds", chunks("birds", BIRDS), directions(4))
    server.stop()
    index.close()
    server()
    assert len(client.list_collections()) == 1
    assert sweep(client, 3600) == 0
    assert sweep(client, -1) == 1
    assert client.list_collections() == []


def test_the_sweep_deletes_only_old_collections_of_visitors() -> None:
    client = chroma_client()
    now = time.time()
    names = {f"{PREFIX}old": now - 500, f"{PREFIX}new": now - 50, "another": now - 500}
    for name, last_used in names.items():
        client.create_collection(name, metadata={LAST_USED: last_used}, embedding_function=None)
    active = VectorIndex(client)
    assert sweep(client, 100) >= 1
    remaining = {collection.name for collection in client.list_collections()}
    assert {f"{PREFIX}new", "another", active._name} <= remaining
    assert f"{PREFIX}old" not in remaining
    active.close()
    for name in (f"{PREFIX}new", "another"):
        client.delete_collection(name)


def test_an_index_in_use_is_marked() -> None:
    client = chroma_client()
    vectors = VectorIndex(client)
    vectors._last_used -= 10_000
    vectors.add("d", directions(1))
    last_used = client.get_collection(vectors._name, embedding_function=None).metadata[LAST_USED]
    assert time.time() - last_used < 1000
    vectors.close()
