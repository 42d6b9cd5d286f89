"""Labels and pictures through a gateway: the wire of our servers, routes, cancelling, and the ledger."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backends.diffusion.types import PictureEvent, Pictures, Progress, Queued
from backends.stopwatch import now
from gateway.routes.draw import stage_of
from gateway.routing.stream import RoutedStream
from gateway.routing.target_states import TargetStates
from tests.backends.wire_server import Reply, WireServer
from tests.gateway.servers import Running, gateway, until
from tests.inference.servers import events
from tests.inference.targets import CHAT

CLASSIFY, IMAGES = "/v1/classify", "/v1/images/generations"
PICTURE = b"\x89PNG a zebra"
TEXT = base64.b64encode(PICTURE).decode()
LABELS = [{"label": "zebra", "probability": 0.9}, {"label": "horse", "probability": 0.1}]
FOUND = Reply.json({"model": "resnet", "results": [{"labels": LABELS, "heat_map": TEXT}]})


def entries(wire: WireServer) -> str:
    """Targets that classify and draw, the second ones with another path; routes over a broken one and a good one."""
    targets: dict[str, dict[str, Any]] = {
        "labels": {"kind": "backends.vision.server", "url": wire.url, "price": "3.60/h", "task": "classify"},
        "broken": {"kind": "backends.vision.server", "url": f"{wire.url}/broken", "task": "classify"},
        "painter": {"kind": "backends.diffusion.server", "url": wire.url, "price": "tokens:0/0", "task": "draw"},
        "priced": {"kind": "backends.diffusion.server", "url": wire.url, "price": "tokens:1/1", "task": "draw"},
        "out": {
            "kind": "backends.diffusion.server",
            "url": f"{wire.url}/broken",
            "price": "tokens:0/0",
            "task": "draw",
        },
        "any-labels": {"kind": "fallback", "targets": ["broken", "paid", "labels"], "task": "classify"},
        "any-painter": {"kind": "gateway.routing", "targets": ["out", "painter"], "failures": 1, "task": "draw"},
    }
    lines = []
    for name, values in targets.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines)


def event(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": f"image_generation.{kind}", **fields}).encode() + b"\n\n"


PROGRESS = [event("queued", position=1), event("progress", step=1, steps=2), event("partial_image", b64_json=TEXT)]
DRAWN = Reply([*PROGRESS, event("completed", b64_json=TEXT, seed=7, withheld=1)])


async def post(running: Running, key: str, path: str, body: Any = None, **more: Any) -> Any:
    headers = {"authorization": f"Bearer {key}", **more.pop("headers", {})}
    return await running.client.post(path, **({"json": body} if body else {}), **more, headers=headers)


async def test_labels_of_a_picture_in_json_a_file_and_a_form(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, entries(wire)) as running:
        key = await running.add_key(usd=1)
        wire.on(CLASSIFY, FOUND)
        answers = [
            await post(running, key, CLASSIFY, {"model": "labels", "images": [TEXT, TEXT], "top_k": 2}),
            await post(
                running, key, f"{CLASSIFY}?model=labels", content=PICTURE, headers={"content-type": "image/png"}
            ),
            await post(running, key, f"{CLASSIFY}?model=labels", files=[("image", ("a.png", PICTURE))]),
        ]
        assert [answer.status_code for answer in answers] == [200] * 3, [answer.text for answer in answers]
        one = {"labels": LABELS, "heat_map": TEXT}
        assert answers[0].json() == {"model": "labels", "results": [one, one]}
        assert [answer.json()["results"] for answer in answers[1:]] == [[one]] * 2
        assert [request.json for request in wire.requests(CLASSIFY)] == [
            *[{"image": TEXT, "top_k": 2}] * 2,
            *[{"image": TEXT, "top_k": 5}] * 2,
        ]
        rows = await running.rows(3)
    assert [row["pictures"] for row in rows] == [2, 1, 1]
    assert {(row["dialect"], row["target"], row["outcome"]) for row in rows} == {("classify", "labels", "ok")}
    assert {(row["input_tokens"], row["output_tokens"], row["is_bound"]) for row in rows} == {(0, 0, False)}
    assert all(0 < row["cost"] <= row["seconds"] * 1e6 for row in rows)  # 3.60 USD an hour are 0.001 a second
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert PICTURE not in stored and TEXT.encode() not in stored and b"zebra" not in stored


async def test_requests_for_pictures_are_refused_as_all_others(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, entries(wire)) as running:
        key, limited = await running.add_key(), await running.add_key("bob", targets=("paid",), usd=1)
        poor = await running.add_key("carol", usd=1)
        once = await running.add_key("dave", requests_per_minute=1)
        wire.on(IMAGES, DRAWN)
        answers = {
            401: await post(running, "sk-spaceport-wrong", CLASSIFY, {"model": "labels", "image": TEXT}),
            403: await post(running, limited, IMAGES, {"model": "painter", "prompt": "a zebra"}),
            404: await post(running, key, CLASSIFY, {"model": "paid", "image": TEXT}),
            400: await post(running, key, CLASSIFY, {"model": "labels", "image": "no base64!"}),
        }
        assert {status: answer.status_code for status, answer in answers.items()} == {each: each for each in answers}
        assert "The target paid classifies no pictures." in answers[404].text
        for body, words in (
            ({"prompt": "a zebra"}, "names no model"),
            ({"model": 7, "prompt": "a zebra"}, "model is 7, not text"),
            ({"model": "painter", "instances": ["a", "b"]}, "one prompt a request"),
            ({"model": "painter", "prompt": 7}, "prompt is 7, not text"),
        ):
            answer = await post(running, key, IMAGES, body)
            assert (answer.status_code, words in answer.text) == (400, True), answer.text
        answer = await post(running, key, CLASSIFY, {"model": 7, "image": TEXT})
        assert (answer.status_code, "model is 7, not text" in answer.text) == (400, True), answer.text
        assert "doesn't chat" in (await running.chat(key, "painter")).text
        assert (
            "The route any-painter makes no embeddings."
            in (await post(running, key, "/v1/embeddings", {"model": "any-painter", "input": "a"})).text
        )
        unpriced = await post(running, poor, IMAGES, {"model": "priced", "prompt": "a zebra"})
        assert unpriced.status_code == 403
        assert "pictures have no tokens" in unpriced.text and "1.25/h" in unpriced.text
        drawn = [await post(running, once, IMAGES, {"model": "painter", "prompt": "a"}) for _ in range(2)]
        assert [answer.status_code for answer in drawn] == [200, 429]


async def test_pictures_come_as_events_and_as_one_answer(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, entries(wire)) as running:
        key = await running.add_key(usd=1)
        wire.on(IMAGES, DRAWN)
        body = {"model": "painter", "prompt": "a zebra", "seed": 7, "size": "64x64", "partial_images": 1}
        headers = {"x-request-id": "mine"}
        stream = events((await post(running, key, IMAGES, {**body, "stream": True}, headers=headers)).text)
        whole = await post(running, key, IMAGES, {**body, "model": "any-painter"})
        sent = wire.requests(IMAGES)[0].json
        rows = await running.rows(2)
        listed = await running.client.get("/v1/models", headers={"x-api-key": key})
    assert [each["type"].rpartition(".")[2] for each in stream] == ["queued", "progress", "partial_image", "completed"]
    assert (stream[0]["position"], stream[1]["step"], stream[1]["steps"], stream[1]["id"]) == (1, 1, 2, "mine")
    assert stream[2]["b64_json"] == TEXT
    assert (stream[3]["b64_json"], stream[3]["seed"], stream[3]["withheld"]) == (TEXT, 7, 1)
    assert whole.headers["x-spaceport-target"] == "painter"
    assert whole.json()["data"] == [{"b64_json": TEXT, "seed": 7}]
    assert {name: sent[name] for name in ("prompt", "seed", "size", "partial_images")} == {
        name: value for name, value in body.items() if name != "model"
    }
    assert [(row["is_stream"], row["pictures"], row["cost"], row["target"]) for row in rows] == [
        (True, 1, 0, "painter"),
        (False, 1, 0, "painter"),
    ]
    states = {model["id"]: (model["task"], model["state"]) for model in listed.json()["data"]}
    assert states["out"] == ("draw", "left_out")  # it failed once, which is what its route allows
    assert states["painter"] == ("draw", "configured")


async def test_the_wait_at_a_drawing_server_is_no_work_and_no_first_token() -> None:
    async def answer() -> AsyncIterator[PictureEvent]:
        for drawn in (Queued(1), Queued(0), Progress(0, 2), Progress(1, 2), Progress(2, 2), Pictures(())):
            yield drawn
            await asyncio.sleep(0.05)

    states, started = TargetStates(), now()
    stream = RoutedStream({"painter": lambda: answer}, states, stage_of)
    seconds = [(type(drawn), stream.seconds, len(states._record("painter").first_tokens)) async for drawn in stream]
    (waits, turn), steps, end = (seconds[:2], seconds[2]), seconds[3:5], seconds[5]
    assert [(each[1], each[2]) for each in waits] == [(0.0, 0)] * 2  # who leaves now pays nothing
    assert (turn[2], [first for *_, first in (*steps, end)]) == (0, [1] * 3)
    assert 0.14 < stream.seconds < now() - started - 0.14  # without the waits, and the pause after its last event
    ((_, first),) = states._record("painter").first_tokens
    assert first > 0.14


async def test_a_route_asks_the_next_target_that_can_classify(wire: WireServer, tmp_path: Path) -> None:
    async with gateway(wire, tmp_path, entries(wire)) as running:
        key = await running.add_key()
        wire.on(CLASSIFY, FOUND)
        answer = await post(running, key, CLASSIFY, {"model": "any-labels", "image": TEXT})
        assert (answer.status_code, answer.headers["x-spaceport-target"]) == (200, "labels")
        assert answer.json()["model"] == "any-labels"
        wire.on(CLASSIFY, Reply.json({"error": {"message": "broken"}}, 500))
        answer = await post(running, key, CLASSIFY, {"model": "any-labels", "image": TEXT})
        assert answer.status_code == 502
        assert "broken:" in answer.text and "labels:" in answer.text and "paid" not in answer.text
        ok, failed = await running.rows(2)
    assert (ok["outcome"], failed["outcome"], failed["pictures"]) == ("ok", "error", 0)
    assert not wire.requests(CHAT)


@pytest.mark.parametrize("stream", [True, False], ids=["events", "one answer"])
async def test_the_owner_cancels_pictures_by_their_id(wire: WireServer, tmp_path: Path, stream: bool) -> None:
    async with gateway(wire, tmp_path, entries(wire)) as running:
        key, other = await running.add_key(), await running.add_key("bob")
        wire.on(IMAGES, Reply(PROGRESS, end="hang"))
        body = {"model": "painter", "prompt": "a zebra", "stream": stream}
        drawing = asyncio.create_task(post(running, key, IMAGES, body, headers={"x-request-id": "mine"}))
        await wire.hang_started.wait()
        path = f"{IMAGES}/mine"
        assert (await running.client.delete(path)).status_code == 401
        assert (await running.client.delete(path, headers={"x-api-key": other})).status_code == 404
        cancelled = await running.client.delete(path, headers={"x-api-key": key})
        assert cancelled.json() == {"id": "mine", "cancelled": 1}
        async with asyncio.timeout(10):
            await wire.client_left.wait()
        answer = await drawing
        assert "The request was cancelled." in answer.text
        assert answer.status_code == (200 if stream else 499)
        assert (await running.client.delete(path, headers={"x-api-key": key})).status_code == 404
        (row,) = await running.rows(1)
        await until(lambda: not running.gateway.parts.running)
    assert (row["outcome"], row["status"], row["pictures"]) == ("cancelled", 499, 0)
