"""Embeddings and scores: of each kind with a wire, many texts, and servers that return something else."""

from __future__ import annotations

import asyncio
import base64
import json
from array import array
from typing import Any

import pytest

from backends import Catalog, InvalidAnswer, NotConfigured, Overloaded, Rejected, Unreachable
from backends.__main__ import main
from backends.http.endpoint import Endpoint
from backends.kinds.huggingface import HuggingFaceBackend
from backends.vectors import connect_embeddings, connect_reranking
from tests.backends.targets import ENTRIES
from tests.backends.wire_server import ReceivedRequest, Reply, WireServer

EMBEDDINGS, RERANK = "/v1/embeddings", "/v1/rerank"


def vector_of(text: str) -> list[float]:
    return [float(len(text)), 1.0, 0.5]


def catalog(url: str, **more: Any) -> Catalog:
    entries = {
        name: {key: value.replace("URL", url) if isinstance(value, str) else value for key, value in entry.items()}
        for name, entry in ENTRIES.items()
    }
    return Catalog({**entries, **more}, source="test")


def embeddings_reply(request: ReceivedRequest) -> Reply:
    """Answer as OpenAI's format has it, the last text first."""
    texts = request.json["input"]
    data = [{"index": index, "embedding": vector_of(text)} for index, text in enumerate(texts)]
    return Reply.json({"data": data[::-1], "usage": {"prompt_tokens": len(texts), "total_tokens": len(texts)}})


def rerank_reply(request: ReceivedRequest) -> Reply:
    scores = [{"index": index, "relevance_score": len(text)} for index, text in enumerate(request.json["documents"])]
    return Reply.json({"results": sorted(scores, key=lambda each: -each["relevance_score"])})


async def embed(url: str, *texts: str, target: str = "openai") -> list[list[float]]:
    backend = connect_embeddings(catalog(url), target)
    try:
        return [list(vector) for vector in (await backend.embed(texts)).vectors]
    finally:
        await backend.aclose()


@pytest.mark.parametrize("target", ["openai", "huggingface"])
async def test_vectors_come_in_the_order_of_the_texts(server: WireServer, target: str) -> None:
    server.on(EMBEDDINGS, embeddings_reply)
    embeddings = await connect_embeddings(catalog(server.url), target).embed(["a", "four", "to"])
    assert [list(vector) for vector in embeddings.vectors] == [vector_of(text) for text in ("a", "four", "to")]
    assert embeddings.input_tokens == 3
    [request] = server.requests(EMBEDDINGS)
    assert request.json["input"] == ["a", "four", "to"]
    assert request.json["model"].startswith("tiny")


async def test_ollama(server: WireServer) -> None:
    server.on(
        "/api/embed",
        lambda request: Reply.json(
            {"model": "tiny", "embeddings": [vector_of(text) for text in request.json["input"]]}
        ),
    )
    assert await embed(server.url, "a", "four", target="ollama") == [vector_of("a"), vector_of("four")]
    server.on("/api/embed", Reply.json({"model": "tiny", "embeddings": [[1.0]]}))
    with pytest.raises(InvalidAnswer, match="1 vectors for 2 texts"):
        await embed(server.url, "a", "b", target="ollama")
    server.on("/api/embed", Reply.json({"error": 'model "tiny" not found, try pulling it first'}, 404))
    with pytest.raises(Rejected, match="no model 'tiny'"):
        await embed(server.url, "a", target="ollama")


async def test_the_pipelines_of_hugging_face(server: WireServer) -> None:
    backend = HuggingFaceBackend(Endpoint(server.url), "owner/tiny", models_url=f"{server.url}/hf-inference/models")
    path = "/hf-inference/models/owner/tiny/pipeline"
    server.on(f"{path}/feature-extraction", Reply.json([[1.0, 2.0], [3.0, 4.0]]))
    server.on(f"{path}/sentence-similarity", Reply.json([0.25, 0.75]))
    assert [list(vector) for vector in (await backend.embed(["a", "b"])).vectors] == [[1.0, 2.0], [3.0, 4.0]]
    assert await backend.rerank("q", ["a", "b"]) == [0.25, 0.75]
    [request] = server.requests(f"{path}/sentence-similarity")
    assert request.json == {"inputs": {"source_sentence": "q", "sentences": ["a", "b"]}}
    server.on(f"{path}/feature-extraction", Reply.json([[[1.0, 2.0]], [[3.0, 4.0]]]))  # one vector for each token
    with pytest.raises(InvalidAnswer, match="not a list of numbers"):
        await backend.embed(["a", "b"])


async def test_no_texts_make_no_request(server: WireServer) -> None:
    for target in ("openai", "huggingface", "ollama"):
        assert await embed(server.url, target=target) == []
    assert await connect_reranking(catalog(server.url), "openai").rerank("q", []) == []
    assert server.received_requests == []


async def test_ten_thousand_texts_are_sent_in_batches(server: WireServer) -> None:
    server.on(EMBEDDINGS, embeddings_reply)
    texts = ["x" * (number % 50) for number in range(10_000)]
    embeddings = await connect_embeddings(catalog(server.url), "openai").embed(texts)
    assert [vector[0] for vector in embeddings.vectors] == [len(text) for text in texts]
    assert embeddings.input_tokens == 10_000
    requests = server.requests(EMBEDDINGS)
    assert (len(requests), max(len(request.json["input"]) for request in requests)) == (313, 32)
    assert server.connections <= 4


async def test_the_first_error_ends_the_other_batches(server: WireServer) -> None:
    server.on(EMBEDDINGS, embeddings_reply, Reply.json({"error": {"message": "busy"}}, 429))
    with pytest.raises(Overloaded, match="busy"):
        await connect_embeddings(catalog(server.url), "openai").embed(["x"] * 10_000)
    assert len(server.requests(EMBEDDINGS)) < 12


GOOD = [{"index": 0, "embedding": [1.0, 2.0]}, {"index": 1, "embedding": [3.0, 4.0]}]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"data": GOOD[:1]}, "1 vectors for 2 texts"),
        ({"data": [*GOOD, *GOOD]}, "4 vectors for 2 texts"),
        ({"data": [GOOD[0], GOOD[0]]}, "don't name each text once"),
        ({"data": [GOOD[0], {"index": 1, "embedding": [3.0]}]}, "different lengths: 1, 2"),
        ({"data": [GOOD[0], {"index": 1, "embedding": []}]}, "empty or not finite"),
        ({"data": [GOOD[0], {"index": 1, "embedding": [3.0, None]}]}, "not a list of numbers"),
        ({"data": [GOOD[0], {"index": 1, "embedding": "no base64!"}]}, "not a list of numbers"),
        ({"data": [GOOD[0], {"index": 1, "embedding": [float("nan"), 1.0]}]}, "not finite"),
        ({"data": {"embedding": [1.0]}}, "no list of vectors"),
        ({"object": "list"}, "no list of vectors"),
        ([1, 2], "no list of vectors"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
async def test_what_is_no_answer(server: WireServer, answer: Any, message: str) -> None:
    server.on(EMBEDDINGS, Reply.json(answer))
    with pytest.raises(InvalidAnswer, match=message):
        await embed(server.url, "a", "b")


@pytest.mark.parametrize(
    "document",
    [
        {"data": [{**item, "index": str(item["index"])} for item in GOOD[::-1]]},
        {"data": [{**item, "index": float(item["index"])} for item in GOOD[::-1]]},
        {"data": [{**item, "index": item["index"] + 1} for item in GOOD[::-1]]},
        {"data": [{**item, "index": None} for item in GOOD]},
        {"embeddings": [[1.0, 2.0], [3.0, 4.0]], "usage": {"prompt_tokens": -4}},
        [[1.0, 2.0], [3.0, 4.0]],
        GOOD[::-1],
    ],
)
async def test_vectors_of_servers_that_differ(document: Any, server: WireServer) -> None:
    server.on(EMBEDDINGS, Reply.json(document))
    embeddings = await connect_embeddings(catalog(server.url), "openai").embed(["a", "b"])
    assert [list(vector) for vector in embeddings.vectors] == [[1.0, 2.0], [3.0, 4.0]]
    assert embeddings.input_tokens is None


@pytest.mark.parametrize("index", [[0], 10**30, -1, True, 0.5, "x"])
async def test_an_index_that_is_none(index: Any, server: WireServer) -> None:
    server.on(EMBEDDINGS, Reply.json({"data": [{**GOOD[0], "index": index}, GOOD[1]]}))
    with pytest.raises(InvalidAnswer, match="don't name each text once"):
        await embed(server.url, "a", "b")


@pytest.mark.parametrize("path", [EMBEDDINGS, RERANK])
@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": {"message": "boom", "code": 429}}, Overloaded),
        ({"error": "boom"}, Rejected),
        ({"error": True, "message": "boom"}, Rejected),
        ({"detail": "boom"}, Rejected),
        ({"object": "error", "message": "boom", "data": None, "results": None}, Rejected),
    ],
)
async def test_an_error_with_a_status_of_success(path: str, document: Any, kind: type, server: WireServer) -> None:
    server.on(path, Reply.json(document))
    with pytest.raises(kind, match="“boom”"):
        if path == EMBEDDINGS:
            await embed(server.url, "a")
        else:
            await connect_reranking(catalog(server.url), "openai").rerank("q", ["a"])


async def test_a_server_without_encoding_format(server: WireServer) -> None:
    server.on(EMBEDDINGS, Reply.json({"error": "unknown field `encoding_format`"}, 422), embeddings_reply)
    assert await embed(server.url, "a") == [vector_of("a")]
    assert ["encoding_format" in request.json for request in server.requests(EMBEDDINGS)] == [True, False]


async def test_batches_of_different_lengths_are_an_error(server: WireServer) -> None:
    def reply(request: ReceivedRequest) -> Reply:
        texts = request.json["input"]
        return Reply.json({"data": [{"index": at, "embedding": [1.0] * len(texts)} for at in range(len(texts))]})

    server.on(EMBEDDINGS, reply)
    with pytest.raises(InvalidAnswer, match="different lengths: 1, 32"):
        await embed(server.url, *["x"] * 33)


async def test_vectors_as_base64_are_read(server: WireServer) -> None:
    data = base64.b64encode(array("f", [1.0, -2.5]).tobytes()).decode()
    server.on(EMBEDDINGS, Reply.json({"data": [{"index": 0, "embedding": data}]}))
    assert await embed(server.url, "a") == [[1.0, -2.5]]


async def test_errors_of_the_server(server: WireServer) -> None:
    with pytest.raises(Rejected, match="404"):  # the server has no such route
        await embed(server.url, "a")
    server.on(EMBEDDINGS, Reply([b"<html><title>Welcome</title></html>"], type="text/html"))
    with pytest.raises(Unreachable, match="not as a model API: “Welcome”"):
        await embed(server.url, "a")


async def test_scores_come_in_the_order_of_the_texts(server: WireServer) -> None:
    server.on(RERANK, rerank_reply)
    backend = connect_reranking(catalog(server.url), "openai")
    assert await backend.rerank("q", ["a", "four", "to"]) == [1.0, 4.0, 2.0]
    assert server.requests(RERANK)[0].json == {"model": "tiny", "query": "q", "documents": ["a", "four", "to"]}


async def test_scores_of_text_embeddings_inference(server: WireServer) -> None:
    server.on("/rerank", Reply.json([{"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}]))
    assert await connect_reranking(catalog(server.url), "openai").rerank("q", ["a", "b"]) == [0.1, 0.9]
    assert server.requests("/rerank")[0].json == {"query": "q", "texts": ["a", "b"]}


@pytest.mark.parametrize(
    "item",
    [
        lambda at, score: {"index": str(at), "score": score},
        lambda at, score: {"index": at + 1, "relevance_score": score},
        lambda at, score: {"index": at, "relevance_score": None, "score": score},
    ],
)
async def test_scores_of_servers_that_differ(item: Any, server: WireServer) -> None:
    server.on(RERANK, Reply.json({"results": [item(1, 0.9), item(0, 0.1)]}))
    assert await connect_reranking(catalog(server.url), "openai").rerank("q", ["a", "b"]) == [0.1, 0.9]


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([{"index": 1, "relevance_score": 0.5}], "1 scores for 2 texts"),
        ([{"index": 1, "relevance_score": 0.5}] * 2, "don't name each text once"),
        ([{"relevance_score": 0.9}, {"relevance_score": 0.5}], "don't say which text"),
        ([{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": None}], "not a number"),
        (None, "no list of scores"),
    ],
)
async def test_what_are_no_scores(server: WireServer, results: Any, message: str) -> None:
    server.on(RERANK, Reply.json({"results": results}))
    with pytest.raises(InvalidAnswer, match=message):
        await connect_reranking(catalog(server.url), "openai").rerank("q", ["a", "b"])


def test_a_kind_that_does_not_embed_or_rerank(aws_account: None) -> None:
    targets = catalog("http://127.0.0.1:9")
    with pytest.raises(NotConfigured, match="Target sagemaker: Its kind makes no embeddings"):
        connect_embeddings(targets, "sagemaker")
    with pytest.raises(NotConfigured, match="Target fallback: Its kind makes no embeddings"):
        connect_embeddings(targets, "fallback")  # the vectors of two models don't fit together
    with pytest.raises(NotConfigured, match="Target ollama: Its kind does not rerank"):
        connect_reranking(targets, "ollama")


def test_a_target_for_another_task_is_no_choice_of_a_page() -> None:
    entry = {"kind": "openai", "url": "http://127.0.0.1:9/v1"}
    targets = Catalog({"vectors": {**entry, "task": "embed"}, "chat": entry}, source="x")
    assert (targets.names, targets.default, [target.name for target in targets.targets()]) == (
        ["chat"],
        "chat",
        ["chat"],
    )
    assert targets.all_names == ["vectors", "chat"]
    assert targets.target("vectors").task == "embed"
    with pytest.raises(NotConfigured, match=r"\[x\] in c.toml has task = 'sing'") as caught:
        Catalog({"x": {**entry, "task": "sing"}}, source="c.toml")
    assert caught.value.remedy == 'Use "chat", "classify", "draw", "embed" or "rerank", or leave it out.'


async def test_the_commands(server: WireServer, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server.on(EMBEDDINGS, embeddings_reply)
    server.on(RERANK, rerank_reply)
    path = tmp_path / "c.toml"
    path.write_text(
        "".join(
            f'[{name}]\nkind = "openai"\nmodel = "m"\nurl = "{server.url}"\ntask = "{task}"\n'
            for name, task in (("vectors", "embed"), ("scores", "rerank"))
        )
    )
    for arguments, expected in (
        (["embed", "vectors", "four"], json.dumps(vector_of("four"))),
        (["rerank", "scores", "q", "a", "four"], "4.0000  four\n1.0000  a"),
        (["check", "vectors"], "vectors: vectors of 3 numbers; one text in"),
        (["check", "scores"], "scores: one text in"),
        (["list"], "vectors  openai  configured\nscores   openai  configured"),
    ):
        assert await asyncio.to_thread(main, [*arguments, "--catalog", str(path)]) == 0
        assert expected in capsys.readouterr().out
