"""The comparator in a real browser: races and measurements of two real targets on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from compare.report.files.rows import report_rows
from compare.report.report import Report
from compare.runs import run_file
from tests.app.test_access import axe, tab_to, violations, violations_in_theme
from tests.compare.make_runs import simulate
from tests.compare.make_scores import with_questions
from tests.compare.servers import Models
from tests.conftest import ROOT
from tests.helpers.apps import App
from tests.helpers.compare import open_details
from tests.helpers.servers import serving, wait_until
from tests.publish.fake_hub import Hub, Space
from ui.link_preview import PICTURE_PATH

__all__ = ["axe"]  # a fixture
SPACE = "spaces/platform_compare/app.py"
EVIL = "<img src=x onerror=alert(1)>"
BAD = "rgb(185, 28, 28)"  # --sp-bad in light
# The same model on the same engine, once with all threads and once with one: two different real targets.
REAL = """
[laptop]
kind = "embedded"
label = "All threads"
price = "0.05/h"
[single]
kind = "embedded"
threads = 1
[gpu]
kind = "openai"
url = "${NOT_SET_ANYWHERE}"
"""
# Whether no chart is wider than its column, which would cut it off.
CHARTS_FIT = """() => [...document.querySelectorAll("#charts .js-plotly-plot")].every((plot) =>
  plot.firstElementChild.getBoundingClientRect().right <= plot.parentElement.getBoundingClientRect().right + 1)"""
# Whether each legend is below the title of its chart's axis.
LEGENDS_FIT = """() => [...document.querySelectorAll("#charts .js-plotly-plot")].every((plot) => {
  const [title, legend] = [".xtitle", ".legend .traces"].map(each => plot.querySelector(each)?.getBoundingClientRect());
  return !title || !legend || title.bottom <= legend.top;
})"""
# The heights of the parts of a row that are shown, each once.
HEIGHTS = """(parts) => [...new Set(parts.map(each => each.offsetHeight).filter(Boolean))]"""
# Opens a closed section, and types into its field in the moment it is there. Resolves a while later.
TYPE_AT_ONCE = """([section, field, value]) => new Promise(resolve => {
  [...document.querySelectorAll("button.label-wrap")].find(each => each.innerText.includes(section)).click();
  const type = () => {
    const input = document.querySelector(field);
    if (!input) return setTimeout(type);
    input.value = value;
    input.dispatchEvent(new Event("input", {bubbles: true}));
    requestIdleCallback(() => setTimeout(resolve, 1000));
  };
  type();
})"""
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    with serving(Models()) as running:
        yield running


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A Hub with a dataset of results: two targets with right answers, and a row that somebody made up."""
    run = with_questions(simulate({"steady": 1.0, "slow": 2.0}, rounds=20), 12, {"slow": [0]})
    rows = report_rows(Report(run, today=date(2026, 2, 3)))
    others = [{**rows[0], "run": "made-up", "target": EVIL, "title": EVIL, "headline": EVIL, "caveats": [EVIL],
               "right_share": None, "workload": "mine", "workload_hash": "1"}]  # fmt: skip
    files = {
        f"results/{each[0]['run']}.jsonl": "".join(f"{json.dumps(row)}\n" for row in each).encode()
        for each in (rows, others)
    }
    with serving(Hub()) as server:
        server.spaces["datasets/somebody/results"] = Space("")
        server.spaces["datasets/somebody/results"].commit("results", files)
        yield server


@pytest.fixture(scope="module")
def compared(start_app: Callable[..., App], tmp_path_factory: pytest.TempPathFactory, models: Models, hub: Hub) -> App:
    """The page with scripted targets, of which the first two are selected, real ones, and one without a URL."""
    catalog = models.catalog(tmp_path_factory.mktemp("catalog"), "steady", "slow", "thinker", "endless", "refuses")
    catalog.write_text(catalog.read_text() + REAL)
    published = {"SPACEPORT_RESULTS": "somebody/results", "HF_ENDPOINT": hub.url}
    return start_app("--catalog", str(catalog), space=SPACE, **published)


def open_at(open_page: OpenPage, app: App, tab: str = "Race", **more: object) -> Page:
    page = open_page(app, until="#prompt textarea", **more)
    if tab != "Race":
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(".sp-headline")).to_be_visible()
    return page


def select(page: Page, group: str, *labels: str) -> None:
    """Check these boxes and no others."""
    for box in page.locator(f"{group} input[type=checkbox]").all():
        label = box.locator("xpath=..").inner_text().strip().partition(" · ")[0]
        box.set_checked(label in labels)


def race(page: Page, prompt: str = "Why is the sky blue?") -> None:
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#prompt .submit-button").click()


def measure(page: Page, requests: int) -> None:
    page.locator("#requests input").fill(str(requests))
    page.locator("#measure").click()
    page.wait_for_selector("#stop", state="visible")


def wait_until_measured(page: Page, *targets: str, seconds: float = 180) -> None:
    """Wait for the new run, whose targets the previous run doesn't have."""
    page.wait_for_selector("#measure", state="visible", timeout=seconds * 1000)
    for target in targets:
        expect(page.locator("#metrics-table td").get_by_text(target, exact=True).first).to_be_visible()


def download(page: Page, label: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_text(label, exact=True).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_a_race_of_real_targets(compared: App, open_page: OpenPage) -> None:
    page = open_at(open_page, compared)
    select(page, "#racers", "laptop", "single")
    page.get_by_role("button", name="Settings").click()
    page.locator("#max-length input[type=number]").fill("16")
    race(page, "Name the seven days of the week in one sentence.")
    columns = page.locator(".sp-column:visible")
    expect(columns).to_have_count(2)
    expect(page.locator(".sp-state.sp-done")).to_have_count(2, timeout=120_000)
    for place in range(2):
        text = columns.nth(place).inner_text()
        assert re.search(r"first token\s+\d+\.\d\d s", text)
        assert re.search(r"\d+ in, \d+ out", text)
        assert len(columns.nth(place).locator(".sp-answer.prose").inner_text()) > 20
    assert "USD" in columns.nth(0).inner_text()
    assert re.search(r"model load\s+\d+\.\d\d s", columns.nth(0).inner_text())  # apart from the first token
    expect(page.get_by_text("can slow each other down")).to_be_visible()
    assert httpx2.get(f"{compared.url}{PICTURE_PATH}").content == (ROOT / SPACE).with_name("preview.png").read_bytes()


def test_a_measurement_of_real_targets(compared: App, open_page: OpenPage, browser: Browser, tmp_path: Path) -> None:
    prompt = "Count upwards from one in words, one number after another, and do not stop."
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text(json.dumps({"prompt": prompt, "max_tokens": 4}))
    page = open_at(open_page, compared, "Measure")
    select(page, "#targets", "laptop", "single")
    page.get_by_text("Load and repetitions").click()
    page.locator("#own input[type=file]").set_input_files(str(prompts))
    expect(page.locator("#own")).to_contain_text("prompts")
    measure(page, 5)
    expect(page.locator("#progress")).to_contain_text(
        re.compile(r"\d+ of \d\d requests · about [\d,]+ s left"), timeout=90_000
    )
    wait_until_measured(page, "laptop", "single")
    expect(page.locator("#run input")).to_have_value(re.compile("laptop vs single"))
    expect(page.locator("#metrics-table")).to_contain_text("concurrency 1")
    expect(page.locator(".sp-headline")).to_contain_text("5 requests each")
    open_details(page, "Verdict")
    expect(page.locator("#verdict")).to_contain_text("don't have enough measurements")
    open_details(page, "Cost")
    expect(page.locator("#cost")).to_contain_text("0.05 USD/h")
    open_details(page, "Charts")
    expect(page.locator("#charts .js-plotly-plot:visible")).to_have_count(4)
    open_details(page, "Files and settings")
    stored = run_file.read(download(page, "Raw arrivals (JSONL)", tmp_path))
    assert stored.ended == "finished"
    assert [len(stored.measured(name)) for name in ("laptop", "single")] == [5, 5]
    _check_standalone(browser, download(page, "Report (HTML)", tmp_path))


def _check_standalone(browser: Browser, report: Path) -> None:
    context = browser.new_context(offline=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: problems.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(report.as_uri())
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    expect(page.locator("h1")).to_have_text("laptop vs single")
    assert not [text for text in problems if not text.startswith(("data:", "blob:"))]
    context.close()


def test_a_recorded_run_is_there_without_any_key_and_explains_its_terms(compared: App, open_page: OpenPage) -> None:
    page = open_at(open_page, compared, "Measure")
    expect(page.locator(".sp-headline")).to_have_text(re.compile("3.5× faster to the end; 60 requests each"))
    expect(page.locator(".sp-target")).to_have_count(2)
    expect(page.locator("#verdict")).not_to_be_visible()  # details are behind tabs
    page.locator("#definition input").click()
    page.get_by_role("option", name="GuideLLM").click()
    expect(page.locator("#metrics-table")).to_contain_text("TTFT p50")
    tip = page.get_by_text("Time to first token: how long you wait").first
    assert not tip.is_visible()
    page.locator("#overview .sp-term").first.press("Enter")
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).not_to_be_visible()
    _check_frames(page)


def _check_frames(page: Page) -> None:
    """Gradio rewrites the page's CSS: a border with a variable can get lost, and `:is()` makes a rule stronger."""
    assert _borders(page, ".sp-target") == ["4px", "1px", "1px", "1px"]
    page.set_viewport_size({"width": 390, "height": 860})
    assert _borders(page, "#metrics-table tr.sp-row") == ["1px"] * 4
    assert _borders(page, "#metrics-table tr.sp-row td") == ["0px"] * 4
    page.locator("#metrics-table tr.sp-row").first.get_by_role("button", name="goodput").click()  # no headers here
    expect(page.get_by_text("The share of requests that were answered within all").first).to_be_visible()


def _borders(page: Page, selector: str) -> list[str]:
    """Return the widths of an element's borders, from the top clockwise."""
    script = """element => ["Top", "Right", "Bottom", "Left"]
        .map(side => getComputedStyle(element)[`border${side}Width`])"""
    return page.locator(selector).first.evaluate(script)


def test_a_wrong_price_is_reported_at_its_field_and_nowhere_else(compared: App, open_page: OpenPage) -> None:
    page = open_at(open_page, compared, "Measure")
    open_details(page, "Cost")
    field = page.locator("#prices textarea")
    field.fill("laptop = 0.05/h\ntorch = cheap")
    expect(page.locator("#price-errors")).to_contain_text("torch: There is no price 'cheap'")
    expect(page.locator("#cost")).to_contain_text("0.05 USD/h")
    assert not page.locator(".error:visible").count()
    expect(field).to_have_accessible_description(re.compile("There is no price 'cheap'"))
    expect(field).to_have_css("box-shadow", re.compile(re.escape(BAD)))
    open_details(page, "Verdict")
    expect(page.locator("#verdict")).to_be_visible()
    expect(field).to_be_hidden()
    open_details(page, "Cost")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("laptop = 0.05/h")
    expect(page.locator("#price-errors")).to_be_empty()
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(field).not_to_have_css("box-shadow", re.compile(re.escape(BAD)))


def test_a_race_needs_two_targets_and_its_columns_fail_and_think_independently(
    compared: App, open_page: OpenPage
) -> None:
    page = open_at(open_page, compared)
    expect(page.locator("#not-racing")).to_contain_text("NOT_SET_ANYWHERE is not set")
    message = page.get_by_text("Choose two to four")
    for count, targets in enumerate((["steady"], []), start=1):
        select(page, "#racers", *targets)
        race(page)
        expect(message).to_have_count(count)
    select(page, "#racers", "thinker", "refuses")
    race(page)
    expect(page.locator(".sp-state.sp-failed")).to_have_count(1)
    expect(page.locator(".sp-state.sp-done")).to_have_count(1)
    expect(page.locator(".sp-answer.prose blockquote")).to_contain_text("api_key")
    expect(page.locator(".sp-race details summary")).to_have_text("Thoughts")
    expect(page.locator("#ballot")).to_be_hidden()


def test_a_length_that_was_just_set_is_the_races(compared: App, open_page: OpenPage, models: Models) -> None:
    """Also in settings that are closed again, and at once after it was entered."""
    page = open_at(open_page, compared)
    select(page, "#racers", "steady", "slow")
    page.evaluate(TYPE_AT_ONCE, ["Settings", "#max-length input[type=number]", "48"])
    length = page.locator("#max-length input[type=number]")
    expect(length).to_have_value("48")
    race(page, "With a length.")
    expect(page.locator(".sp-state.sp-done")).to_have_count(2)
    assert models.requests["steady"][-1]["max_tokens"] == 48
    length.fill("32")
    page.get_by_role("button", name="Settings").click()
    race(page, "With another length.")
    wait_until(lambda: models.requests["slow"][-1]["messages"][-1]["content"] == "With another length.")
    assert models.requests["slow"][-1]["max_tokens"] == 32
    page.get_by_role("button", name="Settings").click()
    expect(length).to_have_value("32")


def test_stop_ends_every_column(compared: App, open_page: OpenPage, models: Models) -> None:
    page = open_at(open_page, compared)
    select(page, "#racers", "endless", "steady")
    race(page)
    expect(page.locator(".sp-state.sp-answering")).to_have_count(1)
    page.locator("#prompt .stop-button").click()
    expect(page.locator(".sp-state.sp-stopped")).to_have_count(1)
    expect(page.locator("#prompt .submit-button")).to_be_visible()
    wait_until(lambda: "endless" in models.disconnects)  # others, too: a page that is closed ends its race


def test_a_blind_vote_reveals_the_names_afterwards(compared: App, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_at(open_page, compared)
    select(page, "#racers", "steady", "slow")
    page.locator("#blind input").check()
    race(page, "Say something.")
    expect(page.locator("#ballot")).to_be_visible()
    expect(page.locator("#race-columns")).to_contain_text("word7")
    shown = page.locator("#race-columns").inner_html()
    assert not re.search(r"steady|slow|tokens|first token|\d s<|sp-colour|sp-done", shown)
    expect(page.get_by_role("button", name="Both are bad")).to_be_visible()
    page.set_viewport_size({"width": 768, "height": 860})
    assert len(page.locator("#ballot button").evaluate_all(HEIGHTS)) == 1
    page.get_by_role("button", name="Answer B is better").click()
    expect(page.locator("#race-columns")).to_contain_text("steady")
    expect(page.locator("#standing")).to_contain_text("1 of 1")
    vote = json.loads(download(page, "My votes (JSONL)", tmp_path).read_text())
    assert vote["blind"] is True
    assert {*vote["targets"]} == {"steady", "slow"}


def test_a_stopped_measurement_keeps_its_results_and_is_shared_by_link(
    compared: App, open_page: OpenPage, new_page: OpenPage
) -> None:
    page = open_at(open_page, compared, "Measure")
    select(page, "#targets", "steady", "slow")
    measure(page, 200)
    expect(page.locator("#progress")).to_contain_text(re.compile(r"\b[1-9]\d+ of 4\d\d requests · about \d+ s left"))
    page.locator("#stop").click()
    wait_until_measured(page, "steady", "slow")
    expect(page.locator("#overview .sp-caveats")).to_contain_text("The run was stopped early")
    headline = page.locator(".sp-headline").inner_text()
    open_details(page, "Files and settings")
    page.get_by_role("button", name="Share by link").click()
    box = page.locator("#link textarea, #link input")
    expect(box).to_have_value(re.compile(r"/#run=[0-9a-f]{24}$"))
    other = new_page(width=390)
    other.goto(box.input_value())
    expect(other.locator(".sp-headline")).to_have_text(headline)
    expect(other.locator("#run input")).to_have_value(re.compile("^steady vs slow, 20"))
    other.goto(f"{compared.url}/#run={'0' * 24}")
    expect(other.get_by_text("The run of this link isn't here any more")).to_be_visible()


def test_bad_fields_are_reported_on_the_page(compared: App, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_at(open_page, compared, "Measure")
    expect(page.locator("#unavailable")).to_contain_text("NOT_SET_ANYWHERE is not set")
    select(page, "#targets")
    page.locator("#measure").click()
    expect(page.locator("#progress")).to_contain_text("No target is selected")
    select(page, "#targets", "steady")
    page.evaluate(TYPE_AT_ONCE, ["Load and repetitions", "#loads :is(input, textarea)", "1, 9999"])
    page.locator("#measure").click()
    expect(page.locator("#progress")).to_contain_text("concurrency 9999")
    page.locator("#loads").locator("input, textarea").fill("1")
    broken = tmp_path / "prompts.jsonl"
    broken.write_text('{"prompt": "One"}\n{"prompt": ""}\n')
    page.locator("#own input[type=file]").set_input_files(str(broken))
    expect(page.locator("#own")).to_contain_text("prompts")
    page.locator("#measure").click()
    expect(page.locator("#progress")).to_contain_text("Line 2 of prompts.jsonl")


def test_a_stored_run_is_opened_and_compared_and_no_run_of_others_is_there(
    compared: App, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_at(open_page, compared, "Measure")
    example = page.locator("#run input").input_value()
    page.locator("#run input").click()
    names = page.get_by_role("option").all_inner_texts()
    assert names
    assert all(name.strip().startswith(("✓", "Example")) for name in names)
    page.keyboard.press("Escape")
    open_details(page, "Files and settings")
    stored = download(page, "Raw arrivals (JSONL)", tmp_path)
    page.locator("#open input[type=file]").set_input_files(str(stored))
    expect(page.locator("#run input")).to_have_value(re.compile(r"laptop vs torch, 20"))
    page.locator("#against input").click()
    page.get_by_role("option", name=example).click()
    open_details(page, "Verdict")
    expect(page.locator("#verdict")).to_contain_text("Compared with the earlier run")
    same = re.compile(r"laptop \(this run\) and laptop \(earlier\) (are equally fast|show no clear difference)")
    expect(page.locator("#verdict")).to_contain_text(same)


def test_a_run_over_questions_shows_whose_answers_are_right(compared: App, open_page: OpenPage, tmp_path: Path) -> None:
    run = with_questions(simulate({"laptop": 1.0, "gpu": 2.0}, rounds=100, noise=0.02), 200, {"gpu": range(3)})
    run_file.write(run, tmp_path / "run.jsonl")
    page = open_at(open_page, compared, "Measure")
    open_details(page, "Charts")
    expect(page.locator("#charts .js-plotly-plot:visible").first).to_be_visible()
    open_details(page, "Answers")
    expect(page.locator("#answers")).to_contain_text("This run has no scored answers.")
    open_details(page, "Files and settings")
    page.locator("#open input[type=file]").set_input_files(str(tmp_path / "run.jsonl"))
    headline = page.locator(".sp-headline")
    expect(headline).to_contain_text("laptop starts 2.0× sooner than gpu")
    expect(page.locator("#open input[type=file]")).to_be_attached()  # free for the next one
    expect(headline).to_contain_text("no difference in right answers shown (laptop 100%, gpu 98%")
    open_details(page, "Answers")
    expect(page.locator("#answers")).to_contain_text("right: laptop says + to 2 (because of +)")
    open_details(page, "Verdict")
    page.locator("#margin input[type=number]").fill("10")
    page.locator("#margin input[type=number]").press("Enter")
    expect(headline).to_contain_text("laptop answers as many questions right as gpu (within 10 points), starts")
    open_details(page, "Charts")
    expect(page.locator("#charts .js-plotly-plot:visible")).to_have_count(5)  # all but the cost
    page.wait_for_function(CHARTS_FIT)  # they were drawn while their tab was closed


def test_questions_over_documents_are_asked_and_scored_on_the_page(
    compared: App, open_page: OpenPage, models: Models, tmp_path: Path
) -> None:
    """Two targets of different quality and price, by the real scorer."""
    (report := tmp_path / "report.md").write_text(
        "# Acme\n\nRevenue was $4,648 million in 2023. Acme has a plant in Ghent.\n"
    )
    asked = ["What was the revenue of Acme in 2023?", "Where does Acme have a plant?"]
    gold = ["$4.648 billion", "Ghent"]
    lines = [json.dumps({"question": text, "answers": [right]}) for text, right in zip(asked, gold, strict=True)]
    (questions := tmp_path / "acme.jsonl").write_text("\n".join(lines))
    models.asked = asked
    models.replies = {"steady": ["Revenue was $4,648 million.", "In Ghent."], "slow": ["Revenue was $51.", "In Ghent."]}
    page = open_at(open_page, compared, "Measure")
    select(page, "#targets", "steady", "slow")
    page.get_by_role("button", name="Questions about your documents").click()
    page.locator("#questions input[type=file]").set_input_files(str(questions))
    expect(page.locator("#questions")).to_contain_text("acme")
    page.locator("#measure").click()
    expect(page.locator("#progress")).to_contain_text("Questions need documents")
    page.locator("#documents input[type=file]").set_input_files([str(report)])
    expect(page.locator("#documents")).to_contain_text("report")
    record_progress(page)
    measure(page, 1)  # rounded up to each question once
    wait_until_measured(page, "steady", "slow")
    models.replies = {}
    progress = page.evaluate("window.progress")
    for step in ("Reading the documents", "of 10 requests", "of 3 answers · Scoring the answers"):
        assert any(step in each for each in progress), (step, progress)
    expect(page.locator("#run input")).to_have_value("steady vs slow, acme")
    expect(page.locator(".sp-headline")).to_contain_text("No difference in right answers shown (steady 100%, slow 50%")
    open_details(page, "Cost")
    page.locator("#prices textarea").fill("steady = 2/h\nslow = 1/h")
    expect(page.locator("#cost")).to_contain_text("2 USD/h")
    open_details(page, "Answers")
    expect(page.locator("#answers")).to_contain_text("wrong: Revenue was $51. (no figure is $4.648 billion)")
    assert_readable(page.locator("#answers td").get_by_text("wrong: Revenue"))
    open_details(page, "Charts")
    expect(page.locator("#charts").get_by_text("Right answers vs cost or time")).to_be_visible()


def record_progress(page: Page) -> None:
    """Keep what the progress says in `window.progress`: some of it is there for a moment only."""
    page.evaluate("""() => {
      window.progress = [];
      new MutationObserver(() => window.progress.push(document.querySelector("#progress").innerText))
        .observe(document.querySelector("#progress"), {childList: true, subtree: true, characterData: true});
    }""")


def assert_readable(cell: Locator) -> None:
    """Check that a cell of a table is in the window, and not a high column of single words."""
    box = cell.bounding_box()
    assert box and box["x"] + box["width"] <= 1280 and box["height"] < 200, box


def _check_widths(page: Page) -> None:
    """Check that neither the page nor a table can be scrolled sideways, on a laptop, a tablet and a phone."""
    wider = """() => [document.documentElement, ...document.querySelectorAll(".sp-table")]
        .every(each => each.scrollWidth <= each.clientWidth)"""
    for width in (1280, 768, 390):
        page.set_viewport_size({"width": width, "height": 860})
        page.wait_for_function(wider)  # a chart needs a moment for its new size


def all_violations(axe: Any, page: Page) -> dict[str, list[str]]:
    """Return axe's violations on a narrow screen in light, a medium one in dark, and on a wide one in light."""
    found: dict[str, list[str]] = {}
    for width, theme in ((390, "light"), (768, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        found |= {f"{rule} at {width}": nodes for rule, nodes in violations_in_theme(axe, page, theme).items()}
    return found


def test_axe_finds_no_serious_violation_and_nothing_is_wider_than_the_page(
    compared: App, open_page: OpenPage, axe: Any
) -> None:
    page = open_at(open_page, compared, width=390, dark=True)
    page.emulate_media(reduced_motion="reduce")  # colours change within a frame
    select(page, "#racers", "steady", "thinker")
    race(page)
    expect(page.locator(".sp-state.sp-done")).to_have_count(2)
    expect(page.locator(".sp-column").first).to_be_in_viewport()  # the answers are below the form
    page.get_by_role("button", name="Settings").click()
    _check_widths(page)
    page.set_viewport_size({"width": 1280, "height": 860})
    assert len(page.locator(".sp-column").evaluate_all(HEIGHTS)) == 1
    assert all_violations(axe, page) == {}
    page.get_by_role("tab", name="Measure").click()
    expect(page.locator("#metrics-table tbody tr").first).to_be_visible()
    page.locator("#overview .sp-term").first.click()
    _check_widths(page)
    assert all_violations(axe, page) == {}
    for tab in ("Verdict", "Charts", "Cost", "Files and settings"):
        expect(page.locator("#details").get_by_role("tab", name=tab)).to_be_visible()  # the menu of a phone is gone
        open_details(page, tab)
        if tab == "Charts":  # until they are drawn, Gradio shows placeholders
            expect(page.locator("#charts .js-plotly-plot:visible")).to_have_count(4)
        assert violations(axe, page, context="#details") == {}, tab
        if tab == "Charts":
            _check_widths(page)
            page.wait_for_function(LEGENDS_FIT)
            page.set_viewport_size({"width": 1280, "height": 900})


def test_a_run_by_keyboard_alone(compared: App, open_page: OpenPage) -> None:
    page = open_at(open_page, compared)
    tab_to(page, page.get_by_role("tab", name="Measure"))
    page.keyboard.press("Enter")
    tab_to(page, page.locator("#requests input"))
    page.keyboard.press("Control+A")
    page.keyboard.type("12")
    tab_to(page, page.locator("#measure"))
    page.keyboard.press("Enter")
    page.wait_for_selector("#stop", state="visible")
    page.wait_for_selector("#measure", state="visible", timeout=60_000)
    expect(page.locator(".sp-headline")).to_contain_text("12 requests each")
    tab_to(page, page.locator("#overview .sp-term").first)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Time to first token: how long you wait").first).to_be_visible()
    page.keyboard.press("Escape")
    tab_to(page, page.locator("#details").get_by_role("tab", name="Verdict"))
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_contain_text("to the end of the answer")


def test_published_results_are_a_leaderboard_with_filters(compared: App, open_page: OpenPage, axe: Any) -> None:
    page = open_at(open_page, compared)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("tab", name="Leaderboard").click()
    board = page.locator("#leaderboard")
    expect(board.locator("tr.sp-row")).to_have_count(3)
    expect(page.locator(".sp-lead a")).to_have_css("padding", "0px")
    expect(board).to_contain_text("steady starts 2.0× sooner than slow and is 2.0× faster to the end")
    expect(board.get_by_text(EVIL).first).to_be_visible()  # as text
    assert board.locator("img").count() == 0
    board.get_by_text("1 note before you trust it").click()
    assert all_violations(axe, page) == {}
    page.get_by_label("With right answers only").check()
    expect(board.locator("tr.sp-row")).to_have_count(2)
    page.locator("#leaderboard-search textarea, #leaderboard-search input").fill("SLOW")
    expect(board.locator("tr.sp-row")).to_have_count(1)
    page.locator("#leaderboard-search textarea, #leaderboard-search input").fill("nobody")
    expect(board).to_contain_text("No result fits these filters.")
