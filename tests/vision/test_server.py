"""The vision server as a process: its routes, dialects, errors, metrics and its shutdown."""

from __future__ import annotations

import base64
import io
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.backends.wire_server import WireServer
from tests.helpers.servers import wait_until
from tests.inference.servers import CLIENT, Server, launch_server, run_server
from tests.vision.conftest import digit_picture, file_of, seven

TEXT = base64.b64encode(file_of(Image.new("RGB", (24, 24)))).decode()  # of any picture


def send(server: Server, path: str, content: bytes, media_type: str = "image/png", **headers: str) -> Any:
    return CLIENT.post(server.url + path, content=content, headers={"content-type": media_type, **headers})


def best(result: dict[str, Any]) -> str:
    return str(result["labels"][0]["label"])


def test_a_picture_as_a_file_a_form_and_json(server: Server) -> None:
    text = base64.b64encode(seven()).decode()
    raw = send(server, "/v1/classify?top_k=3", seven())
    assert raw.status_code == 200, raw.text
    document = raw.json()
    assert document["model"].startswith("digits")
    assert server.get("/v1/models").json()["data"][0]["id"] == document["model"]
    (result,) = document["results"]
    assert best(result) == "seven"
    probabilities = [label["probability"] for label in result["labels"]]
    assert len(probabilities) == 3
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.5 < probabilities[0] <= 1
    files = [("image", ("a.png", seven())), ("image", ("b.jpg", file_of(digit_picture(3), "JPEG")))]
    form = CLIENT.post(server.url + "/v1/classify", files=files, data={"top_k": "1"}).json()["results"]
    assert [best(each) for each in form] == ["seven", "three"]
    assert [len(each["labels"]) for each in form] == [1, 1]
    for body in ({"image": text}, {"images": [f"data:image/png;base64,{text}"]}, {"image": {"b64": text}}):
        assert server.post("/v1/classify", body).json()["results"][0]["labels"][0] == result["labels"][0]


async def test_the_gateway_gives_the_same_labels_and_map(server: Server, tmp_path: Path) -> None:
    from tests.gateway.servers import gateway  # half a second in each process that collects this module

    entry = f'[labels]\nkind = "backends.vision.server"\nurl = "{server.url}"\ntask = "classify"'
    async with gateway(WireServer(), tmp_path, entry) as running:
        headers = {"authorization": f"Bearer {await running.add_key()}"}
        body = {"image": base64.b64encode(seven()).decode(), "top_k": 2, "explain": "occlusion"}
        through = await running.client.post("/v1/classify", json={**body, "model": "labels"}, headers=headers)
        refused = await running.client.post(
            "/v1/classify?model=labels", content=b"%PDF-1.7", headers={**headers, "content-type": "image/png"}
        )
    assert through.json()["results"] == server.post("/v1/classify", body).json()["results"]
    direct = send(server, "/v1/classify", b"%PDF-1.7")
    assert refused.status_code == direct.status_code == 400
    assert "PDF" in refused.text and "PDF" in direct.text


def test_the_dialects_of_sagemaker_and_vertex_ai(server: Server) -> None:
    text = base64.b64encode(seven()).decode()
    before = server.metrics()
    assert server.get("/ping").status_code == 200
    raw = send(server, "/invocations", seven(), "application/x-image")
    assert best(raw.json()["results"][0]) == "seven"
    hugging_face = server.post("/invocations", {"inputs": text, "parameters": {"top_k": 2}}).json()["results"]
    assert [len(each["labels"]) for each in hugging_face] == [2]
    three = base64.b64encode(file_of(digit_picture(3))).decode()
    instances = [{"b64": text}, {"content": three}, {"image_bytes": {"b64": text}}]
    predictions = server.post("/predict", {"instances": instances, "parameters": {"topK": 1}}).json()["predictions"]
    assert [best(each) for each in predictions] == ["seven", "three", "seven"]
    assert [len(each["labels"]) for each in predictions] == [1, 1, 1]
    after = server.metrics()
    for dialect, count in (("sagemaker", 2), ("vertex", 1)):
        name = f"spaceport_requests_total{{dialect={dialect},status=200}}"
        assert after[name] - before[name] == count


def test_the_map_shows_the_picture_with_what_decided(server: Server) -> None:
    picture, before = digit_picture(7, 240), server.metric("heat_maps_total")
    (result,) = server.post(
        "/v1/classify", {"image": base64.b64encode(file_of(picture)).decode(), "explain": "occlusion"}
    ).json()["results"]
    heat_map = Image.open(io.BytesIO(base64.b64decode(result["heat_map"])))
    assert heat_map.size == (240, 240)
    # The digit is white: where it decided, orange has less blue than red. The corners have nothing of it.
    pixels = np.asarray(heat_map).astype(int)
    orange = pixels[..., 0] - pixels[..., 2]
    assert orange.max() > 80
    assert orange[:20, :20].max() < orange.max() / 2
    png = send(server, "/v1/classify?explain=occlusion&top_k=1", file_of(picture), accept="image/png")
    assert png.headers["content-type"] == "image/png"
    assert png.content == base64.b64decode(result["heat_map"])
    assert json.loads(png.headers["x-labels"])[0]["label"] == "seven"
    assert server.metric("heat_maps_total") - before == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "no picture in the request"),
        ({"images": []}, "no picture in the request"),
        ({"image": 7}, "is not text"),
        ({"image": "no base64!"}, "is not base64"),
        ({"image": "https://example.org/cat.jpg"}, "fetches no addresses"),
        ({"image": TEXT, "top_k": 0}, "whole number from 1 to 100"),
        ({"image": TEXT, "top_k": "many"}, "whole number from 1 to 100"),
        ({"image": TEXT, "explain": "gradients"}, "Send occlusion"),
        ({"images": [TEXT] * 65}, "at most 64"),
        ({"images": [TEXT] * 9, "explain": "occlusion"}, "at most 8"),
        ({"images": [TEXT, base64.b64encode(b"text").decode()]}, "Picture 2: The file is not a picture"),
        ({"instances": [{"b64": TEXT}], "parameters": 7}, "parameters is not an object"),
        ([TEXT], "not an object"),
    ],
    ids=str,
)
def test_a_wrong_request_gets_words_that_say_what_to_send(server: Server, body: Any, words: str) -> None:
    answer = server.post("/v1/classify", body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_other_wrong_requests(server: Server) -> None:
    form = send(server, "/v1/classify", b"no form", "multipart/form-data")
    assert (form.status_code, "form can't be read" in form.text) == (400, True)
    assert send(server, "/v1/classify", b"{", "application/json").status_code == 400
    many = send(server, "/v1/classify", b"[" + b"[]," * 200_000 + b"[]]", "application/json")
    assert (many.status_code, "more than 100,000 values" in many.text) == (413, True)
    picture = send(server, "/v1/classify", seven(), accept="image/png")
    assert (picture.status_code, "explain=occlusion" in picture.text) == (406, True)
    missing = server.post("/v1/chat/completions", {})
    assert (missing.status_code, "/v1/classify" in missing.text) == (404, True)
    huge = send(server, "/v1/classify", bytes(50_000_000))
    assert (huge.status_code, "larger than 10 MB" in huge.text) == (413, True)
    assert server.metric("errors_total", kind="rejected") >= 5


def test_pictures_of_several_requests_run_together(server: Server) -> None:
    text = base64.b64encode(seven()).decode()

    def classify(digit: int) -> str:
        return best(send(server, "/v1/classify", file_of(digit_picture(digit))).json()["results"][0])

    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(classify, [*range(10)] * 4))
    assert sum(answer == name for answer, name in zip(answers, names * 4, strict=True)) >= 36
    several = server.post("/v1/classify", {"images": [text] * 20}).json()["results"]
    assert {best(each) for each in several} == {"seven"}
    assert len({each["labels"][0]["probability"] for each in several}) <= 2  # of the last digit, by the batch's size
    metrics = server.metrics()
    assert metrics["spaceport_batch_size_bucket{le=2.0}"] < metrics["spaceport_batch_size_count"]
    assert metrics["spaceport_batch_size_bucket{le=8.0}"] == metrics["spaceport_batch_size_count"]


def test_a_key_one_slot_no_batches_and_a_drain(digits: Path, tmp_path: Path) -> None:
    """One server for all of them, because a start takes two seconds."""
    settings = {"SPACEPORT_API_KEY": "the-key", "SPACEPORT_PARALLEL": 1, "SPACEPORT_QUEUE": 1, "SPACEPORT_BATCH": 1}
    settings |= {"SPACEPORT_MODEL": str(digits), "AIP_PREDICT_ROUTE": "/v1/endpoints/1:predict"}
    with run_server(tmp_path, module="vision", **settings) as server:
        assert send(server, "/v1/classify", seven()).status_code == 401
        assert server.get("/v1/models").status_code == 401
        key = {"authorization": "Bearer the-key"}
        assert best(send(server, "/v1/endpoints/1:predict", seven(), **key).json()["results"][0]) == "seven"
        body = {"images": [TEXT] * 8, "explain": "occlusion"}

        def explain(_: int) -> Any:
            return CLIENT.post(server.url + "/v1/classify", json=body, headers=key)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(explain, range(4)))
            statuses = sorted(answer.status_code for answer in answers)
            assert statuses[:2] == [200, 200]
            assert statuses[-1] == 429
            assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)
            running = pool.submit(explain, 0)
            wait_until(lambda: server.metric("requests_in_flight") == 1)
            server.signal(signal.SIGTERM)
            wait_until(lambda: server.get("/ready").status_code == 503)
            assert CLIENT.post(server.url + "/v1/classify", json=body, headers=key).status_code == 503
            assert running.result().status_code == 200
        assert server.wait() == 0
    metrics = [line for line in server.log if line["message"] == "answered"]
    assert metrics[-1]["pictures"] == 8
    assert "the-key" not in server.output
    assert TEXT not in server.output


def test_a_server_without_a_model_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with launch_server(tmp_path / "log", module="vision", SPACEPORT_MODEL=str(tmp_path)) as server:
        assert server.wait() == 1
        assert "has no preprocessor_config.json" in server.output
        assert server.log[-1]["remedy"]
