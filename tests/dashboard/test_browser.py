"""The dashboard in a real browser, with a scripted model; test_staged.py has the embedded one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ledger_report.charts import CHARTS
from tests.app.conftest import model
from tests.app.test_access import axe, violations
from tests.app.test_link_preview import TAG
from tests.conftest import ROOT
from tests.dashboard import prometheus_server
from tests.dashboard.conftest import catalog_of
from tests.dashboard.ledgers import write_ledger
from tests.dashboard.prometheus_server import Prometheus
from tests.helpers.apps import App
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import free_port, wait_until
from ui.link_preview import PICTURE_PATH

__all__ = ["axe", "model"]  # fixtures
OpenPage = Callable[..., Page]
PATIENCE = 240_000  # milliseconds
BACKGROUND = {"light": "rgb(248, 250, 252)", "dark": "rgb(10, 15, 30)"}
SCREENS: list[tuple[int, Literal["light", "dark"]]] = [(1280, "light"), (390, "light"), (768, "dark")]


@pytest.fixture(scope="module")
def prometheus() -> Iterator[Prometheus]:
    with prometheus_server.scripted() as server:
        server.series = server.series[:1]  # without those of GPUs: each chart takes the browser a while
        yield server


@pytest.fixture(scope="module")
def app(
    start_app: Callable[..., App],
    model: ScriptedModel,
    prometheus: Prometheus,
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> App:
    other = f'[other]\nkind = "openai"\nurl = "{model.url}"\nmodel = "scripted"\nlabel = "Another machine"'
    catalog = catalog_of(tmp_path_factory.mktemp("catalog"), model.url, other)
    ledger = write_ledger(tmp_path_factory.mktemp("ledger") / "gateway.db")
    port = free_port()
    command = [sys.executable, "spaces/dashboard/serve.py"]
    app = start_app(
        "--server.port", str(port), "--server.address", "127.0.0.1",
        command=command, port=port, SPACEPORT_CATALOG=catalog, SPACEPORT_PROMETHEUS_URL=prometheus.url,
        SPACEPORT_DATABASE_URL=ledger,
    )  # fmt: skip
    # The first page reads the catalogue and checks its targets, for all later ones too. While other tests keep every
    # processor busy, that took more than a minute.
    context = browser.new_context()
    page = context.new_page()
    page.goto(app.url, timeout=PATIENCE)
    expect(page.locator(".sp-head"), app.log.read_text()).to_be_visible(timeout=PATIENCE)
    context.close()
    return app


@pytest.fixture
def open_page(new_page: OpenPage, app: App) -> OpenPage:
    """Open a page of the dashboard as a new visitor, or in another tab of the visitor of `beside`."""

    def open_one(path: str = "", *, beside: Page | None = None, **options: int) -> Page:
        page = beside.context.new_page() if beside else new_page(**options)
        page.set_default_timeout(60_000)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("requestfailed", lambda request: problems.append(f"{request.url} {request.failure}"))
        page.goto(f"{app.url}/{path}", timeout=PATIENCE)
        # Once in some thousand loads on a busy machine, Streamlit's page stayed blank; what it said then was not kept.
        try:
            page.wait_for_selector(".sp-head")
        except PlaywrightTimeout:
            page.reload(timeout=PATIENCE)
        expect(page.locator(".sp-head"), f"{problems}\n{app.log.read_text()}").to_be_visible(timeout=PATIENCE)
        return page

    return open_one


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")
    expect(page.get_by_test_id("stChatMessage").filter(has_text=question).first).to_be_visible()


def last(page: Page) -> Locator:
    return page.get_by_test_id("stChatMessage").last


def choose(page: Page, target: str) -> None:
    box = page.get_by_role("combobox", name="Model")
    box.click()
    page.get_by_role("option", name=target).click()
    expect(box).to_have_value(target)


def test_words_appear_as_they_arrive_and_stop_stops_the_server(open_page: OpenPage, model: ScriptedModel) -> None:
    page = open_page()
    ask(page, "for ever")
    expect(last(page)).to_contain_text("word word word")
    expect(page.get_by_text("Ask something.")).to_be_hidden()
    page.get_by_test_id("stChatInputStopButton").click()
    wait_until(lambda: "for ever" in model.disconnected, 30)
    ask(page, "and now")
    expect(last(page)).to_contain_text("word9")
    expect(page.get_by_test_id("stChatMessage").nth(1)).to_contain_text("stopped")


def test_the_chosen_model_is_asked_an_example(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "other · Another machine")
    example = page.get_by_role("button", name="Why is the sky blue?")
    example.click()
    expect(last(page)).to_contain_text("in total")
    expect(last(page)).to_contain_text("other · Another machine · first token")
    expect(page.get_by_test_id("stChatMessage").first).to_contain_text("Why is the sky blue?")
    expect(example).to_be_hidden()


def test_closing_the_tab_stops_the_server(open_page: OpenPage, model: ScriptedModel) -> None:
    page = open_page()
    ask(page, "for ever, then leave")
    expect(last(page)).to_contain_text("word word word")
    page.close()
    wait_until(lambda: "for ever, then leave" in model.disconnected, 30)


def test_leaving_the_page_stops_the_server_and_keeps_the_conversation(
    open_page: OpenPage, model: ScriptedModel
) -> None:
    page = open_page()
    ask(page, "for ever, then go")
    expect(last(page)).to_contain_text("word word word")
    page.get_by_role("link", name="Runs").first.click()
    expect(page.locator(".sp-headline")).to_be_visible()
    wait_until(lambda: "for ever, then go" in model.disconnected, 30)
    page.get_by_role("link", name="Performance").first.click()
    expect(page.get_by_test_id("stMetric").first).to_be_visible()
    page.get_by_role("link", name="Playground").first.click()
    expect(page.get_by_test_id("stChatMessage").first).to_contain_text("for ever, then go")
    expect(last(page)).to_contain_text("stopped")


def test_two_tabs_of_one_visitor(open_page: OpenPage) -> None:
    one = open_page()
    other = open_page(beside=one)
    ask(one, "for ever, in one tab")
    expect(last(one)).to_contain_text("word word")
    ask(other, "think in the other tab")
    expect(last(other)).to_contain_text("word9")
    expect(last(one)).to_contain_text("word word")
    assert "other tab" not in one.locator("body").inner_text()
    assert "one tab" not in other.locator("body").inner_text()


def test_thoughts_are_folded_and_images_of_a_model_are_not_loaded(open_page: OpenPage) -> None:
    page = open_page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    ask(page, "think of a picture")
    expect(last(page)).to_contain_text("Look:")
    expect(last(page)).to_contain_text("in total")
    expect(page.get_by_role("button", name="Clear")).to_be_enabled()  # Streamlit draws the page again at the end
    expect(page.get_by_text("The user asks.")).not_to_be_visible()
    page.get_by_text("Thoughts").click()
    expect(page.get_by_text("The user asks.")).to_be_visible()
    assert not page.locator('[data-testid="stChatMessage"] img').count()
    assert not any("tracker" in url for url in urls)


@pytest.mark.parametrize("path", ["", "performance", "runs", "costs"])
def test_a_page_on_three_screens_in_light_and_dark(open_page: OpenPage, app: App, axe: Any, path: str) -> None:
    page = open_page(path)
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    if not path:
        ask(page, "think, then answer in ten words")
        expect(last(page)).to_contain_text("in total")
        expect(page.get_by_role("button", name="Clear")).to_be_enabled()
        contents = page.get_by_test_id("stChatMessageContent")
        assert len({*contents.evaluate_all("parts => parts.map(each => each.getBoundingClientRect().left)")}) == 1
    if path == "performance":
        expect(page.locator(".js-plotly-plot")).not_to_have_count(0)
    for width, scheme in SCREENS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 860})
        expect(page.locator(".stApp")).to_have_css("background-color", BACKGROUND[scheme])
        assert violations(axe, page) == {}, f"{width} {scheme}"
    if path == "costs":
        expect(page.locator(".js-plotly-plot")).to_have_count(len(CHARTS))
        expect(page.locator(".sp-ledger tbody tr")).to_have_count(2)
    page.set_viewport_size({"width": 390, "height": 860})
    for name in ("Playground", "Performance", "Runs", "Costs"):
        expect(page.locator(".st-key-navigation").get_by_role("link", name=name)).to_be_in_viewport()
    is_whole = "names => names.every(name => name.scrollWidth <= name.clientWidth)"
    assert page.locator(".st-key-navigation p").evaluate_all(is_whole)
    page.set_viewport_size({"width": 768, "height": 860})  # here Streamlit shows its own links
    expect(page.get_by_role("link", name="Runs").and_(page.locator(":visible"))).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 860})
    wide = "[document.documentElement, ...document.querySelectorAll('.stMain')].map(part => part.scrollWidth)"
    assert max(page.evaluate(wide)) <= 390
    expect(page.locator(".sp-head p").first).to_have_css("color", "rgb(148, 163, 184)")  # subdued, in dark
    assert all(url.startswith((app.url, "data:", "blob:")) for url in urls)


def test_the_report_can_be_downloaded(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("runs")
    with page.expect_download() as started:
        page.get_by_role("button", name="Report (HTML)").click()
    report = tmp_path / "report.html"
    started.value.save_as(report)
    assert "3.5× faster to the end" in report.read_text()


def test_each_page_tells_other_sites_what_it_is(app: App) -> None:
    for path in ("/", "/runs"):
        page = httpx2.get(app.url + path).text
        assert page.count("<title>Spaceport dashboard</title>") == page.count("<title>") == 1
        assert dict(TAG.findall(page))["og:description"] == "Try, watch and compare LLM backends"
    assert httpx2.get(app.url + PICTURE_PATH).content == (ROOT / "spaces/dashboard/preview.png").read_bytes()


def test_every_response_has_the_security_headers(app: App) -> None:
    for path in ("/", "/runs", "/_stcore/health"):
        headers = httpx2.get(app.url + path).headers
        assert "img-src 'self' data: blob:" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
