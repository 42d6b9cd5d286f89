"""The vision Space as it's published: staged, without this repository, with two classifiers."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr
import httpx2
import pytest
from gradio.data_classes import ImageData
from playwright.sync_api import Page, expect

from publishing.smoke_request import ask
from publishing.staging.content_check import check_content
from publishing.staging.stage import stage
from tests.app.test_access import axe, violations_in_both_themes, violations_in_theme
from tests.app.test_staged import python
from tests.conftest import ROOT
from tests.diffusion.conftest import Running, hooked, pictures, tiny
from tests.helpers.model_hub import FolderHub
from tests.helpers.servers import serving, wait_until
from tests.helpers.staged import running_staged
from tests.inference.servers import Server
from tests.vision.conftest import digit_picture, file_of
from ui.link_preview import PICTURE_PATH
from vision_page import strings
from vision_page.picture import PictureInput

__all__ = ["axe", "pictures", "python", "tiny"]  # fixtures
NewPage = Callable[..., Page]
SECOND_GENERATOR = """
[second]
kind = "backends.diffusion.server"
task = "draw"
label = "Second server"
url = "${SPACEPORT_DIFFUSION_URL}"
"""


@pytest.fixture(scope="module")
def url(
    python: Path, server: Server, pictures: Running, digits: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the page with the network of digits, in the page and on a server; the Hub has no ResNet-50.

    Pictures from words come from the tiny pipeline on its server, which the page has twice.
    """
    folder = tmp_path_factory.mktemp("staged")
    staged = stage(ROOT, "vision", folder / "vision")
    check_content(staged.files)
    with (staged.folder / "targets.toml").open("a") as catalog:
        catalog.write(SECOND_GENERATOR)
    variables = {"SPACEPORT_VISION_MODEL": str(digits), "SPACEPORT_VISION_URL": server.url}
    variables |= {"SPACEPORT_DIFFUSION_URL": pictures.url, "HF_HOME": str(folder / "hub"), "HF_HUB_OFFLINE": "0"}
    with serving(FolderHub("somebody/digits", digits)) as hub:
        variables["HF_ENDPOINT"] = f"http://127.0.0.1:{hub.server_port}"
        with running_staged(replace(staged, variables=variables), python) as url:
            yield url


def select(page: Page, *labels: str, group: str = "#targets") -> None:
    """Check these models of a group and no others."""
    boxes = page.locator(f"{group} label")
    for place in range(boxes.count()):
        box = boxes.nth(place)
        box.locator("input").set_checked(box.inner_text().strip() in labels)


def choose(page: Page, name: str, content: bytes) -> None:
    files = {"name": name, "mimeType": "image/png", "buffer": content}
    page.locator("#picture input[type=file]").set_input_files(files)  # type: ignore[arg-type]


def test_a_picture_gets_labels_a_map_and_times_side_by_side(url: str, new_page: NewPage) -> None:
    page = new_page(width=390)
    page.goto(url)
    choose(page, "seven.png", file_of(digit_picture(7, 240)))
    expect(page.locator(".sp-find figure img")).to_have_count(2)
    for place in range(2):
        column = page.locator(".sp-find").nth(place)
        expect(column.locator("li").first).to_contain_text("seven")
        expect(column.locator("li")).to_have_count(5)
        expect(column.locator(".sp-time")).to_contain_text("s")
    expect(page.locator("#classify")).to_be_visible()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 860})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_what_is_wrong_is_said_in_words(url: str, new_page: NewPage, axe: object) -> None:
    page = new_page()
    page.goto(url)
    page.locator("#classify").click()
    expect(page.get_by_text("Choose a picture first.")).to_be_visible()
    select(page, "Your model, in this page", "ResNet-50, in this page")
    choose(page, "picture.png", b"%PDF-1.7\n" + bytes(100))
    alerts = page.locator(".sp-find [role=alert]")
    expect(alerts).to_have_count(2)
    expect(alerts.first).to_contain_text("The file is a PDF, whatever its name says.")
    expect(alerts.last).to_contain_text("Xenova/resnet-50 can't be listed on the Hub")
    assert violations_in_both_themes(axe, page) == {}
    page.set_viewport_size({"width": 768, "height": 860})
    assert violations_in_theme(axe, page, "light") == {}
    page.evaluate("document.body.classList.add('dark')")
    expect(page.locator("body")).to_have_css("background-color", "rgb(10, 15, 30)")
    assert httpx2.get(f"{url}{PICTURE_PATH}").content == (ROOT / "spaces/vision/preview.png").read_bytes()


def write(page: Page, prompt: str, seed: str = "7", generators: Sequence[str] = ("Diffusion server",)) -> None:
    """Open the tab for prompts, fill in the form and press the button."""
    page.get_by_role("tab", name=strings.DRAW_TAB).click()
    select(page, *generators, group="#generators")
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#seed textarea").fill(seed)
    page.locator("#draw").click()


def test_a_picture_of_words_comes_and_stops(url: str, new_page: NewPage, axe: object, pictures: Running) -> None:
    page = new_page(width=390)
    page.goto(url)
    write(page, "a <b>lighthouse</b>")
    picture = page.locator("#pictures figure img")
    expect(picture).to_have_attribute("alt", "A picture for the prompt “a <b>lighthouse</b>”")
    expect(page.locator("#pictures figcaption")).to_have_text("Seed 7")
    expect(page.locator("#pictures .sp-time")).to_contain_text("s")
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [64, 64]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations_in_both_themes(axe, page) == {}
    with hooked(pictures, lambda *_: time.sleep(0.5)):
        page.locator("#draw").click()
        expect(page.locator("#pictures .sp-progress")).to_contain_text("of 4")
        page.locator("#stop-drawing").click()
        expect(page.locator("#draw")).to_be_visible()
        expect(page.locator("#pictures .sp-progress")).to_have_count(0)
        wait_until(pictures.is_idle)
    expect(page.locator("#pictures figcaption")).to_have_count(0)


def test_what_is_wrong_with_a_prompt_is_said_and_two_models_draw_side_by_side(url: str, new_page: NewPage) -> None:
    page = new_page()
    page.goto(url)
    write(page, " ")
    expect(page.get_by_text(strings.NO_PROMPT)).to_be_visible()
    write(page, "a cat", seed="many")
    expect(page.get_by_text("The seed is a whole number")).to_be_visible()
    write(page, "gore")
    expect(page.locator("#pictures [role=alert]")).to_contain_text("The prompt has a word that is refused here.")
    page.get_by_text(strings.unavailable_models(1)).click()
    expect(page.get_by_text("Your diffusion model, in this page")).to_be_visible()  # with what it needs
    write(page, "a cat", generators=("Diffusion server", "Second server"))
    columns = page.locator("#pictures .sp-canvas")
    expect(columns.locator("h2")).to_have_text(["Diffusion server", "Second server"])
    expect(columns.locator("figcaption")).to_have_text(["Seed 7", "Seed 7"])
    expect(columns.locator(".sp-time")).to_have_count(2)
    left, right = (columns.nth(place).bounding_box() or {} for place in range(2))
    assert left["y"] == right["y"] and left["x"] + left["width"] < right["x"]
    assert right["x"] + right["width"] <= 1280
    sources = columns.locator("img").evaluate_all("images => images.map(image => image.src)")
    assert len(sources) == 2 and len(set(sources)) == 1  # the same model with the same seed


def test_programs_classify_too(url: str) -> None:
    assert ask(url, "vision")
    body = {"data": [base64.b64encode(file_of(digit_picture(7))).decode(), "server"]}
    answer = httpx2.post(f"{url}/gradio_api/run/classify", json=body, timeout=60)
    assert next(iter(answer.json()["data"][0])) == "seven"
    wrong = httpx2.post(f"{url}/gradio_api/run/classify", json={"data": ["no base64!", "own"]}, timeout=60)
    assert wrong.status_code == 422
    unknown = httpx2.post(f"{url}/gradio_api/run/classify", json={"data": [*body["data"][:1], "gpt"]}, timeout=60)
    assert unknown.status_code == 422


def test_a_file_of_the_server_is_no_picture(url: str) -> None:
    """An event can name any path as the file; only uploads are read."""
    config = httpx2.get(f"{url}/config", timeout=60).json()
    events = [each["id"] for each in config["dependencies"] if len(each["inputs"]) == 2]
    assert events
    for picture in (
        {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}},
        {"path": "/etc/hostname"},
        {"path": "/dev/zero"},
        {"path": "/tmp"},
    ):
        for event in events:
            body = {"data": [picture, ["own"]], "fn_index": event, "session_hash": "somebody"}
            answer = httpx2.post(f"{url}/gradio_api/run/predict", json=body, timeout=60)
            assert answer.status_code in (422, 500), picture
            assert "data" not in answer.json()


@pytest.mark.parametrize("path", ["/etc/hostname", "/dev/zero", "/tmp"])
def test_only_an_upload_is_a_picture(path: str) -> None:
    with pytest.raises(gr.Error, match="not in the cache folder"):
        PictureInput().preprocess(ImageData(path=path))
