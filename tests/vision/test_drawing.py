"""How pictures from words come, without a browser: two models side by side, errors, and a page without any model."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from backends import Catalog
from backends.diffusion.types import PictureRequest
from backends.streams import closing
from tests.diffusion.conftest import Running, hooked, pictures, tiny
from tests.helpers.servers import wait_until
from ui.admission.admission import Admission
from ui.middleware.refusals import Refusal
from vision_page import strings
from vision_page.draw_page import MAX_CHARACTERS, DrawPage, _column_updates, read_form
from vision_page.drawing import DrawingService
from vision_page.drawn_pictures import Canvas
from vision_page.visitor import Visitor

__all__ = ["pictures", "tiny"]  # fixtures
KIND = {"kind": "backends.diffusion.server", "task": "draw"}


def service(**urls: str) -> DrawingService:
    entries: dict[str, Any] = {name: {**KIND, "url": url, "label": name.title()} for name, url in urls.items()}
    return DrawingService(Catalog(entries, source="a test"), Admission())


async def test_two_models_take_turns_and_one_that_fails_stops_no_other(pictures: Running) -> None:
    drawing = service(first=pictures.url, gone="http://127.0.0.1:1", second=pictures.url)
    assert drawing.selection() == ["first", "gone"]
    request = PictureRequest("a cat", size=(64, 64), seed=7, steps=4, previews=1)
    seen: list[list[Canvas]] = []
    async for canvases in drawing.draw(request, ["first", "second"]):
        seen.append(list(canvases))
    first, second = seen[-1]
    assert first.pictures == second.pictures
    assert first.pictures[0].seed == 7
    assert first.seconds and second.seconds
    turns = [(one.progress is not None, other.progress is not None) for one, other in seen]
    assert (True, True) not in turns
    assert seen[0][1].step == strings.WAITING
    assert any(one.preview for one, _ in seen)
    assert [one.progress for one, _ in seen if one.progress] == [0.25, 0.5, 0.5, 0.75, 1.0]
    failed = [list(canvases) async for canvases in drawing.draw(request, ["gone", "first"])][-1]
    assert "is not answering" in failed[0].error
    assert failed[1].pictures == first.pictures


async def test_no_visitor_sees_where_the_model_is(tiny: Path) -> None:
    entry = {"kind": "backends.diffusion.embedded", "task": "draw", "model": str(tiny)}
    updates = DrawingService(Catalog({"own": entry}, source="a test"), Admission()).draw(PictureRequest("a"), ["own"])
    async with closing(updates):
        steps = [(await anext(updates))[0].step for _ in range(2)]  # the second is the model's own
    assert steps == [strings.LOADING] * 2


async def test_leaving_ends_the_work(pictures: Running) -> None:
    updates = service(first=pictures.url).draw(PictureRequest("a cat", size=(64, 64), steps=200), ["first"])
    with hooked(pictures, lambda *_: time.sleep(0.05)):  # 200 steps take ten seconds
        async with closing(updates):
            async for (canvas,) in updates:
                if canvas.progress:
                    break
        await asyncio.to_thread(wait_until, pictures.is_idle, 5)


async def test_an_error_removes_the_preview(pictures: Running) -> None:
    """What the server withholds mustn't stay on the page as a preview."""
    calls = iter(range(100))

    def fail(*_: Any) -> None:
        if next(calls) == 3:
            raise ValueError("withheld")

    request = PictureRequest("a cat", size=(64, 64), seed=7, steps=4, previews=1)
    with hooked(pictures, fail):
        seen = [canvas async for (canvas,) in service(first=pictures.url).draw(request, ["first"])]
    assert any(canvas.preview for canvas in seen)
    assert "withheld" in seen[-1].error
    assert seen[-1].preview is None


def test_a_column_is_sent_only_if_it_changed() -> None:
    shown: list[str] = []
    one, two = Canvas("One", "a cat"), Canvas("Two", "a cat", step="Waits")
    assert [type(each) for each in _column_updates([one, two], shown)] == [gr.Column, str] * 2
    updates = _column_updates([one, Canvas("Two", "a cat", step="Step 1 of 4")], shown)
    assert updates[:2] == [gr.skip(), gr.skip()]
    assert "Step 1 of 4" in updates[3]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": " \n"}, strings.NO_PROMPT),
        ({"prompt": None}, strings.NO_PROMPT),
        ({"targets": None}, strings.NO_GENERATOR),
        ({"prompt": "a" * 10_000}, f"at most {MAX_CHARACTERS:,}"),
        ({"size": "4096x4096"}, strings.WRONG_SIZE),
        ({"seed": "-1"}, "whole number"),
        ({"seed": "²"}, "whole number"),
        ({"seed": "99999999999"}, "whole number"),
        ({"targets": []}, strings.NO_GENERATOR),
        ({"targets": ["a", "b", "c"]}, strings.TOO_MANY_GENERATORS),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_form_that_cant_start(fields: dict[str, Any], words: str) -> None:
    form = {"prompt": "a cat", "size": "", "seed": "", "targets": ["a"], **fields}
    with pytest.raises(Refusal, match=words):
        read_form(**form)


def test_without_a_seed_it_is_random() -> None:
    requests = [read_form("a cat", "768x512", "", ["a"]) for _ in range(3)]
    assert len({request.seed for request in requests}) == 3
    assert read_form("a cat", None, None, ["a"]).size is None
    assert requests[0].size == (768, 512)


async def test_a_page_without_a_model_says_how_to_switch_it_on() -> None:
    """Asynchronous, because Gradio creates event loops where there is none, and leaves them open."""
    drawing = service(server="${SPACEPORT_DIFFUSION_URL}")
    with gr.Blocks() as page:
        DrawPage(drawing, Visitor(), drawing.targets(), [])
    text = " ".join(str(block.value) for block in page.blocks.values() if isinstance(block, gr.HTML))
    ways, _, reasons = text.partition('<details class="sp-more"><summary>1 model is not set up</summary>')
    assert "SPACEPORT_DIFFUSION_MODEL" in ways
    assert "python -m diffusion" in ways
    assert "SPACEPORT_DIFFUSION_URL is not set" in reasons


async def test_zero_gpu_loads_the_models_of_the_page_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is said to those who choose it; a server has nothing to load."""
    entries = {"own": {"kind": "backends.diffusion.embedded", "task": "draw", "model": "/no/such/folder"}}
    drawing = DrawingService(Catalog({**entries, "it": {**KIND, "url": "http://x"}}, source="a test"), Admission())
    loads = []
    monkeypatch.setattr(type(drawing.connect("own")), "load", lambda self: loads.append(self))
    drawing.load_on_zero_gpu()
    assert loads == []
    monkeypatch.setattr("backends.machine.zero_gpu.ZERO_GPU", True)
    drawing.load_on_zero_gpu()
    assert loads == [drawing.connect("own")]
