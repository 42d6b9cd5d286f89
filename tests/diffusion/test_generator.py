"""The pipeline in this process and the client of a server, as targets of the catalogue."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from backends import Catalog, Interrupted, NotConfigured, Overloaded, Rejected, Unreachable
from backends.diffusion.pipelines import PipelineSettings, check_model, load
from backends.diffusion.previews import preview_steps
from backends.diffusion.types import PictureEvent, PictureGenerator, PictureRequest, Pictures, Progress, Queued
from backends.streams import closing
from tests.conftest import ROOT
from tests.diffusion.conftest import Running, body, hooked
from tests.helpers.model_hub import FolderHub
from tests.helpers.servers import serving, wait_until

REQUEST = PictureRequest("a cat", size=(64, 64), seed=7, steps=4, previews=1)


def connect(kind: str, **settings: Any) -> PictureGenerator:
    entry = {"kind": f"backends.diffusion.{kind}", "task": "draw", **settings}
    generator = Catalog({"it": entry}, source="a test").connect("it")
    assert isinstance(generator, PictureGenerator)
    return generator


async def all_of(events: AsyncIterator[PictureEvent]) -> list[PictureEvent]:
    return [event async for event in events]


async def test_the_server_and_this_process_make_the_same_picture(pictures: Running, tiny: Path) -> None:
    here, there = connect("embedded", model=str(tiny)), connect("server", url=pictures.url)
    events = await all_of(here.generate(REQUEST))
    assert [type(event) for event in events] == [Progress] * 4 + [Pictures]
    assert [isinstance(event, Progress) and bool(event.preview) for event in events] == [False, True, *[False] * 3]
    remote = await all_of(there.generate(REQUEST))
    assert remote[-1] == events[-1]
    assert [event.step for event in remote if isinstance(event, Progress)] == [1, 2, 2, 3, 4]
    assert (await here.check()).model == (await there.check()).model == "tiny-diffusion"
    with pytest.raises(NotConfigured, match="doesn't chat"):
        await anext(there.stream(None))  # type: ignore[arg-type]


async def test_leaving_the_client_ends_the_work_on_the_server(pictures: Running) -> None:
    there = connect("server", url=pictures.url)
    with hooked(pictures, lambda *_: time.sleep(0.05)):
        events = there.generate(PictureRequest("a cat", size=(64, 64), steps=200))
        async with closing(events):
            assert isinstance(await anext(events), Progress)
            waiting = asyncio.create_task(anext(there.generate(PictureRequest("a dog", size=(64, 64), steps=1))))
            assert await waiting == Queued(0)
        await asyncio.to_thread(wait_until, pictures.is_idle, 8)


async def test_what_the_server_refuses_has_the_same_type_here(pictures: Running, tiny: Path) -> None:
    import torch

    there, here = connect("server", url=pictures.url), connect("embedded", model=str(tiny), refused_words="gore")
    for generator in (there, here):
        with pytest.raises(Rejected, match="refused here") as caught:
            await all_of(generator.generate(PictureRequest("gore", size=(64, 64))))
        assert caught.value.status == 400

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with hooked(pictures, fail):
        for generator in (there, here):
            with pytest.raises(Overloaded, match="no memory left"):
                await all_of(generator.generate(REQUEST))
    with pytest.raises(Unreachable):
        await connect("server", url="http://127.0.0.1:1").check()


class Scripted(BaseHTTPRequestHandler):
    """Answers with the body and the type that the path's number names."""

    answers: tuple[tuple[str, bytes], ...] = ()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        media_type, content = self.answers[int(self.path.split("/")[1])]
        self.send_response(200)
        self.send_header("content-type", media_type)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def event(**fields: Any) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


async def test_other_servers() -> None:
    """One that doesn't stream, one with OpenAI's own events, and what isn't a server for pictures."""
    picture = base64.b64encode(b"png").decode()
    progress = event(type="image_generation.progress", step=1, steps=2)
    openai = event(type="image_generation.partial_image", b64_json=picture, partial_image_index=0)
    openai += event(type="image_generation.completed", b64_json=picture, usage={}) + b"data: [DONE]\n\n"
    document, events = "application/json", "text/event-stream"
    refusal = event(error={"message": "withheld", "code": 400})
    busy = event(error={"message": "no memory", "code": 503})
    cases: list[tuple[str, bytes, type[Exception] | bytes, str]] = [
        (document, json.dumps({"data": [{"b64_json": picture}]}).encode(), b"png", ""),
        (events, openai, b"png", ""),
        (events, progress, Interrupted, "before the picture was ready"),
        (events, progress + refusal, Rejected, "“withheld”"),
        (events, progress + busy, Overloaded, "“no memory”"),
        (events, b"data: []\n\n", Unreachable, "not as a server for pictures"),
        (events, event(type="image_generation.completed", b64_json=7), Unreachable, "not as a server for pictures"),
        (document, b"{}", Unreachable, "not as a server for pictures"),
        (document, b"<html>", Unreachable, "not as a server for pictures"),
    ]
    Scripted.answers = tuple((media_type, content) for media_type, content, *_ in cases)
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Scripted)) as server:
        for number, (*_, wanted, words) in enumerate(cases):
            there = connect("server", url=f"http://127.0.0.1:{server.server_port}/{number}/v1")
            if isinstance(wanted, bytes):
                last = (await all_of(there.generate(REQUEST)))[-1]
                assert isinstance(last, Pictures)
                assert [each.data for each in last.pictures] == [wanted]
            else:
                with pytest.raises(wanted, match=words):
                    await all_of(there.generate(REQUEST))


def test_a_model_that_is_none(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(NotConfigured, match="There is no folder /no/such/folder"):
        check_model(PipelineSettings(model="/no/such/folder"))
    with pytest.raises(NotConfigured, match=r"has no model_index\.json"):
        check_model(PipelineSettings(model=str(tmp_path)))
    with pytest.raises(NotConfigured, match="The setting device is 'tpu'"):
        check_model(PipelineSettings(model=str(tiny), device="tpu"))
    copy = shutil.copytree(tiny, tmp_path / "copy")
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps(index | {"_class_name": "StableDiffusionImg2ImgPipeline"}))
    with pytest.raises(NotConfigured, match="a StableDiffusionImg2ImgPipeline, which makes no pictures from a prompt"):
        load(PipelineSettings(model=str(copy)))
    for weights in copy.rglob("*.safetensors"):
        weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(NotConfigured, match="no weights as safetensors"):
        load(PipelineSettings(model=str(copy)))


async def test_limits_hold_for_what_a_request_leaves_out(tiny: Path) -> None:
    small = connect("embedded", model=str(tiny), max_pixels=4095)  # the tiny model makes 64 × 64
    with pytest.raises(NotConfigured, match="The model's default size is 64 × 64 pixels; max_pixels is 4,095"):
        await small.check()
    with pytest.raises(NotConfigured, match="default size"):
        await all_of(small.generate(PictureRequest("a cat")))
    few = connect("embedded", model=str(tiny), max_steps=20)
    with pytest.raises(NotConfigured, match="The number of steps is 30"):
        await few.check()
    with pytest.raises(Rejected, match="The number of steps is 30"):
        await all_of(few.generate(PictureRequest("a cat")))
    enough = connect("embedded", model=str(tiny), max_pixels=4096, max_steps=2, steps=2)
    assert isinstance((await all_of(enough.generate(PictureRequest("a cat"))))[-1], Pictures)


async def test_a_pipeline_of_the_hub_is_downloaded_once(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub's client reads its variables when it's imported: these are what they set."""
    from huggingface_hub import constants, hf_api

    with serving(FolderHub("somebody/tiny-pictures", tiny)) as hub:
        address = f"http://127.0.0.1:{hub.server_port}"
        monkeypatch.setattr(hf_api.api, "endpoint", address)
        values = {"ENDPOINT": address, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": False}
        values["HUGGINGFACE_CO_URL_TEMPLATE"] = address + "/{repo_id}/resolve/{revision}/{filename}"
        for name, value in values.items():
            monkeypatch.setattr(constants, name, value)
        here = connect("embedded", model="somebody/tiny-pictures")
        assert (await here.check()).model == "tiny-pictures"
        events = await all_of(here.generate(REQUEST))
        assert isinstance(events[-1], Pictures)
        assert any(path.endswith("unet/diffusion_pytorch_model.safetensors") for path in hub.requests)
        asked = len(hub.requests)
        check_model(PipelineSettings(model="somebody/tiny-pictures"))
        assert len(hub.requests) == asked


def test_previews_are_spread_over_the_steps() -> None:
    assert preview_steps(30, 4) == {6, 12, 18, 24}
    assert preview_steps(4, 10) == {1, 2, 3}
    assert preview_steps(1, 3) == set()
    assert preview_steps(30, 0) == set()


ZERO_GPU_SCRIPT = """
import threading, spaces
from backends.diffusion.drawing import draw
from backends.diffusion.types import PictureRequest
print(spaces.functions, draw.__name__)
"""
SPACES_PACKAGE = """
functions = []
def GPU(duration=None):
    def decorate(function):
        from backends.diffusion.types import PictureRequest
        functions.append((function.__name__, duration(None, PictureRequest("", count=2, steps=50), None)))
        return function
    return decorate
"""


def test_zero_gpu_gets_the_function_at_import(tmp_path: Path) -> None:
    (tmp_path / "spaces.py").write_text(SPACES_PACKAGE)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "SPACES_ZERO_GPU": "true"}
    command = [sys.executable, "-c", ZERO_GPU_SCRIPT]
    output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment).stdout
    assert output.strip() == "[('draw', 35)] draw"


def test_the_command_checks_it(pictures: Running, tmp_path: Path) -> None:
    catalog = tmp_path / "targets.toml"
    catalog.write_text(f'[it]\nkind = "backends.diffusion.server"\ntask = "draw"\nurl = "{pictures.url}"\n')
    command = [sys.executable, "-m", "backends", "--catalog", str(catalog), "check", "it"]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (result.returncode, result.stdout) == (0, "it: tiny-diffusion makes pictures\n"), result.stderr
    assert pictures.post(body(steps=1)).status_code == 200
