"""The diffusion server on a real port, with a tiny random pipeline: its routes, events, limits and its end."""

from __future__ import annotations

import base64
import io
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from diffusion.answers import PictureStream
from tests.backends.wire_server import WireServer
from tests.diffusion.conftest import PATH, Running, body, hooked, run_here
from tests.diffusion.tiny import save_pipeline
from tests.helpers.model_hub import FolderHub
from tests.helpers.servers import serving, wait_until
from tests.inference.servers import CLIENT, events, launch_server


def picture(item: dict[str, Any]) -> bytes:
    data = base64.b64decode(item["b64_json"])
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("PNG", (64, 64))
    return data


@contextmanager
def slow(running: Running, seconds: float = 0.05) -> Iterator[None]:
    """Make each step slower."""
    with hooked(running, lambda *_: time.sleep(seconds)):
        yield


def test_equal_seeds_make_equal_pictures(pictures: Running) -> None:
    document = pictures.post(body(n=2)).json()
    first, second = document["data"]
    assert (first["seed"], second["seed"]) == (7, 8)
    assert picture(first) != picture(second)
    alone = pictures.post(body(seed=8)).json()["data"]
    assert [picture(each) for each in alone] == [picture(second)]
    assert picture(pictures.post(body("a dog")).json()["data"][0]) != picture(first)
    by_chance = pictures.post({"prompt": "a cat", "size": "64x64"}).json()["data"][0]
    again = pictures.post(body(seed=by_chance["seed"])).json()["data"][0]
    assert picture(again) == picture(by_chance)


def test_a_stream_has_each_step_previews_and_the_picture(pictures: Running) -> None:
    stream = pictures.events(body(steps=6, partial_images=2))
    kinds = [event["type"].removeprefix("image_generation.") for event in stream]
    step = ["progress"]
    assert kinds == [*step * 2, "partial_image", *step * 2, "partial_image", *step * 2, "completed"]
    progress = [event for event in stream if event["type"].endswith("progress")]
    assert [(event["step"], event["steps"]) for event in progress] == [(number, 6) for number in range(1, 7)]
    previews = [base64.b64decode(event["b64_json"]) for event in stream if event["type"].endswith("partial_image")]
    with Image.open(io.BytesIO(previews[0])) as preview:
        assert (preview.format, preview.size) == ("JPEG", (64, 64))
    assert picture(stream[-1]) == picture(pictures.post(body(steps=6)).json()["data"][0])
    several = pictures.events(body(n=2))
    assert [event["index"] for event in several if event["type"].endswith("completed")] == [0, 1]


async def test_the_gateway_sends_the_same_events(pictures: Running, tmp_path: Path) -> None:
    from tests.gateway.servers import gateway  # half a second in each process that collects this module

    entry = f'[painter]\nkind = "backends.diffusion.server"\nurl = "{pictures.url}"\ntask = "draw"'
    async with gateway(WireServer(), tmp_path, entry) as running:
        headers = {"authorization": f"Bearer {await running.add_key()}", "x-request-id": "same"}
        wanted = body(steps=4, n=2, partial_images=2, stream=True)
        answer = await running.client.post(PATH, json={**wanted, "model": "painter"}, headers=headers)
        refused = await running.client.post(PATH, json={"model": "painter", "prompt": "gore"}, headers=headers)
    through, direct = events(answer.text), pictures.events(wanted, headers={"x-request-id": "same"})
    for each in (*through, *direct):
        each.pop("created_at")
    assert through == direct
    assert refused.status_code == 400 and "refused here" in refused.text


def test_openais_client(pictures: Running) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{pictures.url}/v1", api_key="none")
    answer = client.images.generate(prompt="a cat", size="64x64", extra_body={"seed": 7})  # type: ignore[call-overload]
    assert picture({"b64_json": answer.data[0].b64_json})
    stream = client.images.generate(  # type: ignore[call-overload]
        prompt="a cat", size="64x64", stream=True, partial_images=1, extra_body={"seed": 7}
    )
    last = list(stream)[-1]
    assert (last.type, last.b64_json) == ("image_generation.completed", answer.data[0].b64_json)


def test_the_dialects_of_sagemaker_and_vertex_ai(pictures: Running) -> None:
    wanted = picture(pictures.post(body()).json()["data"][0])
    hugging_face = {"inputs": "a cat", "parameters": {"size": "64x64", "seed": 7, "num_inference_steps": 4}}
    assert picture(pictures.post(hugging_face, "/invocations").json()["data"][0]) == wanted
    instances = {"instances": [{"prompt": "a cat"}, "a dog"], "parameters": {"size": "64x64", "seed": 7}}
    predictions = pictures.post(instances, "/predict").json()["predictions"]
    assert [picture(each["data"][0]) == wanted for each in predictions] == [True, False]
    assert CLIENT.get(f"{pictures.url}/ping").status_code == 200
    assert CLIENT.get(f"{pictures.url}/v1/models").json()["data"][0]["id"] == "tiny-diffusion"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"prompt": ""}, "The prompt is empty"),
        ({"prompt": " \u200b\n"}, "The prompt is empty"),
        ({"prompt": None}, "The prompt is empty"),
        ({"prompt": 7}, "prompt is 7, not text"),
        ({"prompt": "a" * 10_000}, "has 10,000 characters"),
        ({"negative_prompt": "a" * 10_000}, "has 10,000 characters"),
        ({"prompt": "some Gore!"}, "refused here"),
        ({"prompt": "a SECRET\n\tplan"}, "refused here"),
        ({"prompt": "g\u00f3\u200bre"}, "refused here"),
        ({"size": "500x512"}, "multiple of 8"),
        ({"size": "512x32"}, "multiple of 8, from 64"),
        ({"size": "8192x512"}, "to 1536"),
        ({"size": "1536x1024"}, "1,572,864 pixels"),
        ({"size": "big"}, "such as 512x512"),
        ({"size": [512, 512]}, "such as 512x512"),
        ({"n": 0}, "The count of pictures is 0"),
        ({"n": 5}, "Ask for 1 to 4"),
        ({"n": "2"}, "n is text, not a whole number"),
        ({"steps": 0}, "number of steps is 0"),
        ({"steps": 201}, "Ask for 1 to 200"),
        ({"seed": -1}, "The seed is -1"),
        ({"seed": 2**60}, "The seed is"),
        ({"seed": 10**400}, "The seed is too large"),
        ({"steps": -(10**400)}, "The number of steps is too small"),
        ({"guidance": 1e9}, "Send a number from 0 to 50"),
        ({"response_format": "url"}, "Send b64_json"),
        ({"output_format": "webp"}, "Send png"),
        ({"stream": "yes"}, "not true or false"),
        ({"partial_images": -1}, "number of previews is -1"),
        ({"instances": []}, "1 to 16"),
        ({"instances": [7]}, "not an object"),
        ({"parameters": 7}, "not an object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_request_gets_words_that_say_what_to_send(pictures: Running, wrong: dict[str, Any], words: str) -> None:
    before = pictures.metric("generated_pictures_total")
    answer = pictures.post(body(**wrong))
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert pictures.metric("generated_pictures_total") == before


def test_other_wrong_requests(pictures: Running) -> None:
    other = pictures.post(body(model="dall-e-3"))
    assert (other.status_code, "Ask for tiny-diffusion" in other.text) == (404, True)
    route = pictures.post({}, "/v1/chat/completions")
    assert (route.status_code, "/v1/images/generations" in route.text) == (404, True)
    assert CLIENT.delete(f"{pictures.url}{PATH}/unknown").status_code == 404
    assert pictures.post([body()]).status_code == 400
    gory = pictures.post(body("an allegory"))  # the word is only a part of another one
    assert gory.status_code == 200


def test_a_stream_has_no_slot_while_its_pictures_are_sent(pictures: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads slowly doesn't hold up the next one, and the duration counts a stream."""
    send, in_use = PictureStream._send_pictures, []

    async def watched(*arguments: Any) -> None:
        in_use.append(pictures.service.queue.in_use)
        await send(*arguments)

    monkeypatch.setattr(PictureStream, "_send_pictures", watched)
    before = pictures.metric("request_duration_seconds_count")
    assert pictures.events(body(steps=1))[-1]["type"] == "image_generation.completed"
    assert in_use == [0]
    assert pictures.metric("request_duration_seconds_count") == before + 1


def test_a_client_that_leaves_ends_the_denoising(pictures: Running) -> None:
    before = pictures.metric("step_duration_seconds_count")
    with slow(pictures):
        with CLIENT.stream("POST", pictures.url + PATH, json=body(steps=200, stream=True)) as answer:
            next(line for line in answer.iter_lines() if "progress" in line)
        start = time.monotonic()
        wait_until(pictures.is_idle)
        assert picture(pictures.post(body(steps=1)).json()["data"][0])
        assert time.monotonic() - start < 5  # 200 steps take ten seconds
    assert pictures.metric("step_duration_seconds_count") < before + 190


@pytest.mark.parametrize("stream", [True, False], ids=["events", "one answer"])
def test_a_request_is_cancelled_by_its_id(pictures: Running, stream: bool) -> None:
    headers = {"x-request-id": f"mine-{stream}"}
    with slow(pictures), ThreadPoolExecutor() as pool:
        before = pictures.metric("step_duration_seconds_count")
        running = pool.submit(pictures.post, body(steps=200, stream=stream), headers=headers)
        wait_until(lambda: pictures.metric("step_duration_seconds_count") > before + 2)
        cancelled = CLIENT.delete(f"{pictures.url}{PATH}/mine-{stream}")
        assert cancelled.json() == {"id": f"mine-{stream}", "cancelled": 1}
        answer = running.result(60)
    assert answer.status_code == (200 if stream else 499)
    assert "The request was cancelled." in answer.text
    assert "completed" not in answer.text
    wait_until(pictures.is_idle)


def test_a_request_that_waits_is_cancelled_too(pictures: Running) -> None:
    with slow(pictures), ThreadPoolExecutor() as pool:
        first = pool.submit(pictures.post, body(steps=200), headers={"x-request-id": "first"})
        wait_until(lambda: pictures.service.queue.in_use == 1)
        second = pool.submit(pictures.post, body(), headers={"x-request-id": "second"})
        wait_until(lambda: pictures.service.queue.length == 1)
        for name in ("second", "first"):
            assert CLIENT.delete(f"{pictures.url}{PATH}/{name}").status_code == 200
        assert [each.result(60).status_code for each in (first, second)] == [499, 499]
    wait_until(pictures.is_idle)


def test_the_queue_shows_the_place_and_is_limited(pictures: Running) -> None:
    with slow(pictures, 0.02), ThreadPoolExecutor() as pool:
        first = pool.submit(pictures.post, body(steps=30))
        wait_until(lambda: pictures.service.queue.in_use == 1)
        second = pool.submit(pictures.events, body(steps=2))
        wait_until(lambda: pictures.service.queue.length == 1)
        third = pool.submit(pictures.events, body(steps=2))
        wait_until(lambda: pictures.service.queue.length == 2)
        full = pictures.post(body())
        assert full.status_code == 429
        assert int(full.headers["retry-after"]) >= 1
        assert "2 requests wait" in full.json()["error"]["message"]
        assert first.result().status_code == 200
        events = [[event.get("position", event.get("step")) for event in each.result()] for each in (second, third)]
    # The places, the turn as step 0, the steps, and the picture.
    assert events == [[1, 0, 1, 2, None], [2, 1, 0, 1, 2, None]]


def test_without_memory_the_server_says_so_and_goes_on(pictures: Running) -> None:
    import torch

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    with hooked(pictures, fail):
        answer = pictures.post(body(n=2))
        assert (answer.status_code, bool(answer.headers["retry-after"])) == (503, True)
        words = "There is no memory left for 2 pictures of 64 × 64 pixels. Ask for a smaller size or fewer pictures"
        assert words in answer.json()["error"]["message"]
        streamed = pictures.post(body(stream=True))
        assert streamed.status_code == 503
    assert pictures.post(body()).status_code == 200


def test_an_error_of_the_model_in_the_middle_of_a_stream(pictures: Running) -> None:
    calls = iter(range(100))

    def fail(*_: Any) -> None:
        if next(calls) == 2:
            raise ValueError("shapes don't fit")

    with hooked(pictures, fail):
        stream = pictures.events(body())
    assert [event.get("type") for event in stream] == ["image_generation.progress"] * 2 + [None]
    assert "The model failed (shapes don't fit)." in stream[-1]["error"]["message"]


def test_no_prompt_is_logged(pictures: Running, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    words = "confidential zebra "
    with caplog.at_level(logging.DEBUG):
        assert pictures.post(body(words * 50)).status_code == 200  # more than the model's 77 tokens
        assert pictures.post(body(words * 200)).status_code == 400
    output = capfd.readouterr()
    assert "answered" in caplog.text
    assert "zebra" not in caplog.text + output.out + output.err


def test_the_safety_checker_withholds_pictures_and_previews(tmp_path: Path) -> None:
    folder = save_pipeline(tmp_path / "checked", with_checker=True)
    with run_here(folder) as running:
        answer = running.post(body())
        assert (answer.status_code, "withheld the picture" in answer.text) == (400, True)
        stream = running.events(body(partial_images=2))
        assert not any("b64_json" in event for event in stream)
        assert "withheld" in stream[-1]["error"]["message"]
        assert running.service.generator
        checker = running.service.generator.load().pipeline.safety_checker
        steps: list[int] = []

        def flag_only_the_last_step(*_: Any) -> None:
            steps.append(1)
            checker.concept_embeds_weights.data.fill_(-2 if len(steps) == 4 else 2)

        with hooked(running, flag_only_the_last_step):
            stream = running.events(body(steps=4, partial_images=2))
        assert len(steps) == 4
        assert not any("b64_json" in event for event in stream)
        assert "withheld" in stream[-1]["error"]["message"]
        checker.concept_embeds_weights.data.fill_(2)
        assert picture(running.post(body()).json()["data"][0])
    with run_here(folder, safety_checker="off") as running:
        assert picture(running.post(body()).json()["data"][0])


def test_a_key_metrics_and_a_drain(tiny: Path) -> None:
    with (
        run_here(tiny, drain_seconds=60.0, api_key="the-key", predict_route="/v1/endpoints/1:predict") as running,
        slow(running),
    ):
        key = {"authorization": "Bearer the-key"}
        assert running.post(body()).status_code == 401
        assert CLIENT.delete(f"{running.url}{PATH}/x").status_code == 401
        assert CLIENT.get(f"{running.url}/v1/models").status_code == 401
        assert running.post({"instances": [body()]}, "/v1/endpoints/1:predict", headers=key).status_code == 200
        with ThreadPoolExecutor() as pool:
            last = pool.submit(running.post, body(steps=20), headers=key)
            wait_until(lambda: running.service.queue.in_use == 1)
            running.stop()
            wait_until(lambda: CLIENT.get(f"{running.url}/ready").status_code == 503)
            assert running.post(body(), headers=key).status_code == 503
            text = CLIENT.get(f"{running.url}/metrics").text
            assert picture(last.result().json()["data"][0])
        assert 'spaceport_requests_total{dialect="vertex",status="200"} 1.0' in text
        assert "spaceport_generated_pictures_total 1.0" in text
        running.thread.join(10)


def test_a_server_without_its_model_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with serving(FolderHub("somebody/else", tmp_path)) as hub:
        environment = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HOME": str(tmp_path / "hub")}
        environment |= {"SPACEPORT_MODEL": "nobody/nothing", "HF_HUB_OFFLINE": "0"}
        with launch_server(tmp_path / "log", module="diffusion", **environment) as server:
            assert server.wait() == 1
            assert "nobody/nothing can't be listed on the Hub (RepositoryNotFoundError)" in server.log[-1]["message"]
            assert server.log[-1]["remedy"]


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with launch_server(tmp_path, module="diffusion", SPACEPORT_SAFETY_CHECKER="sometimes") as server:
        assert server.wait() == 2
        assert "SPACEPORT_SAFETY_CHECKER is 'sometimes'" in server.errors


def test_several_at_once(pictures: Running) -> None:
    """Clients that come and leave at any moment leave nothing behind."""
    stop = threading.Event()

    def leave() -> None:
        with CLIENT.stream("POST", pictures.url + PATH, json=body(steps=50, stream=True)) as answer:
            for line in answer.iter_lines():
                if "progress" in line or stop.is_set():
                    return

    wanted = picture(pictures.post(body()).json()["data"][0])
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: leave(), range(9)))
    wait_until(pictures.is_idle)
    assert picture(pictures.post(body()).json()["data"][0]) == wanted
