"""A visitor's data survives a reload, a lost connection and a crash, and the visitor can delete it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.helpers.apps import App
from tests.helpers.chat import ask, leave_samples_out, upload, uploaded, wait_for_answer
from tests.helpers.network import Line
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import free_port, serving, wait_until

Open = Callable[..., Page]
NOTE = "The spare key hangs behind the blue door."


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text(NOTE)
    return path


def test_a_reload_loses_neither_documents_nor_conversation(app: App, open_page: Open, note: Path) -> None:
    page = open_page(app)
    upload(page, note)
    uploaded(page, 1)
    ask(page, "Where does the spare key hang? Say ten words.")
    wait_for_answer(page)
    page.reload()
    uploaded(page, 1)
    expect(page.locator("#chat .user.message")).to_have_text("Where does the spare key hang? Say ten words.")
    expect(page.locator("#chat")).to_contain_text("word9")
    expect(page.locator("#sources")).to_contain_text(NOTE)


def test_what_a_model_invents_is_underlined_and_never_cited(app: App, open_page: Open, note: Path) -> None:
    page = open_page(app)
    upload(page, note)
    uploaded(page, 1)
    ask(page, f"Tell me where the spare key hangs. Say: {NOTE} The spare key hangs behind the 7 red doors.")
    wait_for_answer(page)
    expect(page.locator("#chat .sp-quote mark")).to_have_text(NOTE)
    underlined = page.locator('#chat .sp-unsupported[title="not found in the documents"]')
    expect(underlined).to_have_text("The spare key hangs behind the 7 red doors.")
    assert underlined.evaluate("each => getComputedStyle(each).textDecorationStyle") == "dotted"
    links = page.locator('#chat a[href^="#source-1-1"]')
    expect(links).to_have_count(2)  # the quote and the true sentence
    ask(page, "Tell me where the spare key hangs. Say: The spare key hangs behind the 7 red doors.")
    wait_for_answer(page)
    expect(page.locator("#chat .sp-quote")).to_have_count(2)
    expect(page.get_by_text("but none of it was found in the documents")).to_be_visible()
    expect(page.locator("#chat .sp-unsupported").nth(1)).to_be_hidden()


def test_a_file_uploaded_before_the_page_has_its_key_belongs_to_the_visitor(
    app: App, open_page: Open, note: Path
) -> None:
    page = open_page(app)
    page.evaluate("localStorage.clear()")
    routes: list[Route] = []
    page.route("**/gradio_api/run/predict*", lambda route: routes.append(route))
    page.reload()
    upload(page, note)
    uploaded(page, 1)
    assert routes, "the page requests its key in another way"
    for route in routes:
        route.continue_()
    page.unroute("**/gradio_api/run/predict*")
    page.wait_for_function("() => localStorage.getItem('spaceport-visitor')")
    page.reload()
    uploaded(page, 1)


def test_a_reload_during_an_answer_keeps_the_text_so_far(app: App, model: ScriptedModel, open_page: Open) -> None:
    page = open_page(app)
    leave_samples_out(page)
    ask(page, "Go on for ever, reload.")
    expect(page.locator("#chat .bot").last).to_contain_text("word word")
    page.reload()
    expect(page.locator("#chat .user.message")).to_have_text("Go on for ever, reload.")
    expect(page.locator("#chat .bot").last).to_contain_text("word word")
    page.locator("#question .stop-button").click()
    wait_until(
        lambda: "Go on for ever, reload." in model.disconnected,
        60,
        lambda: "the request was not cancelled",
    )
    leave_samples_out(page)
    ask(page, "Say ten words.")
    wait_for_answer(page)
    expect(page.locator("#chat .user.message")).to_have_count(2)


def test_a_visitor_deletes_everything(app: App, open_page: Open, note: Path) -> None:
    data = app.log.parent / "data"
    before = set(data.glob("visitors/*/documents"))  # visitors of other tests can have a conversation meanwhile
    page = open_page(app)
    upload(page, note)
    uploaded(page, 1)
    (folder,) = {each.parent for each in {*data.glob("visitors/*/documents")} - before}
    assert (folder.stat().st_mode & 0o777) == 0o700
    page.get_by_text("Settings", exact=True).first.click()
    click_delete(page, confirm=False)
    expect(page.locator("#documents [data-remove]")).to_have_count(1)
    click_delete(page, confirm=True)
    expect(page.locator("#documents [data-remove]")).to_have_count(0)
    wait_until(lambda: not folder.exists(), 60, lambda: "the folder is still there")
    page.reload()
    expect(page.locator("#documents [data-remove]")).to_have_count(0)


def click_delete(page: Page, *, confirm: bool) -> None:
    """Click until the page asks: Gradio ignores clicks until the button's last event has ended."""
    questions = list[str]()

    def answer(dialog: Dialog) -> None:
        questions.append(dialog.message)
        (dialog.accept if confirm else dialog.dismiss)()

    page.once("dialog", answer)
    while not questions:
        page.locator("#delete").click()
        page.wait_for_timeout(100)


def test_nothing_is_lost_with_the_connection_or_with_a_killed_server(
    start_app: Callable[..., App], catalog: Path, tmp_path: Path, open_page: Open, note: Path
) -> None:
    port = free_port()  # a browser stores data per address
    first = start_app("--catalog", str(catalog), port=port, SPACEPORT_DATA=str(tmp_path / "data"))
    with serving(Line(port)) as line:
        page = open_page(replace(first, url=line.url))
        page.wait_for_function("localStorage.getItem('spaceport-visitor')")
        leave_samples_out(page)
        lose_the_connection(page, line)
        upload(page, note)
        uploaded(page, 1)
        with page.expect_response(lambda response: '"asked":false' in (response.request.post_data or "")):
            page.get_by_label("Ask note.txt").uncheck()
        os.killpg(first.process.pid, signal.SIGKILL)
        first.process.wait()
        start_app("--catalog", str(catalog), port=port, SPACEPORT_DATA=str(tmp_path / "data"))
        page.reload()
        expect_restored(page)


def lose_the_connection(page: Page, line: Line) -> None:
    """Be away for longer than Gradio's heartbeat of 15 s, during an answer of 24 s, and expect all of it."""
    ask(page, "Say it slowly.")
    expect(page.locator("#chat .bot").last).to_contain_text("slow3")
    page.context.set_offline(True)
    line.cut()
    page.wait_for_timeout(20_000)
    assert "slow20" not in page.locator("#chat").inner_text()
    line.mend()
    page.context.set_offline(False)
    expect(page.locator("#chat .bot").last).to_contain_text("slow59")
    expect(page.locator("#question .submit-button")).to_be_visible()
    expect(page.locator("#chat .user.message")).to_have_count(1)
    expect(page.locator("#samples input")).not_to_be_checked()
    ask(page, "Say: again")
    expect(page.locator("#chat .sp-line")).to_have_count(2)
    expect(page.locator("#chat .user.message")).to_have_count(2)


def expect_restored(page: Page) -> None:
    """Expect the conversation and the document, which wasn't asked, and ask it."""
    expect(page.locator("#chat .user.message")).to_have_text(["Say it slowly.", "Say: again"])
    expect(page.locator("#documents [data-remove]")).to_have_count(1)
    expect(page.get_by_label("Ask note.txt")).not_to_be_checked()
    with page.expect_response(lambda response: '"asked":true' in (response.request.post_data or "")):
        page.get_by_label("Ask note.txt").check()
    ask(page, "Where does the spare key hang?")
    wait_for_answer(page)
    expect(page.locator("#sources")).to_contain_text(NOTE)


def test_two_pages_of_one_visitor_have_separate_sources(app: App, open_page: Open, tmp_path: Path) -> None:
    tea, shed = tmp_path / "tea.txt", tmp_path / "shed.txt"
    tea.write_text("The kettle holds 1.7 litres of water.")
    shed.write_text("The garden shed was painted green in May.")
    first = open_page(app)
    upload(first, tea, shed)
    uploaded(first, 2)
    second = first.context.new_page()
    second.goto(first.url)
    expect(second.locator("#documents [data-remove]")).to_have_count(2)
    first.bring_to_front()  # a page in the background isn't rendered
    ask(first, "How much water does the kettle hold?")
    wait_for_answer(first)
    second.bring_to_front()
    ask(second, "When was the garden shed painted?")
    wait_for_answer(second)
    first.bring_to_front()
    expect(first.locator("#sources .sp-card").first).to_contain_text("kettle")
    expect(second.locator("#sources .sp-card").first).to_contain_text("shed")
    first.locator("#sources [data-open]").first.click()
    expect(first.locator("#sources .sp-view")).to_contain_text("kettle")


def click_all(page: Page, place: str, name: str) -> None:
    """Click all elements with this attribute, faster than the app responds, but each after the previous request.

    A response in between can replace the elements: each click goes to the current one.
    """
    page.evaluate(
        """async ([place, name]) => {
          const values = [...document.querySelectorAll(`${place} [${name}]`)].map((each) => each.getAttribute(name));
          for (const value of values) {
            document.querySelector(`${place} [${name}="${CSS.escape(value)}"]`).click();
            await new Promise((done) => setTimeout(done, 8));
          }
        }""",
        [place, name],
    )


def test_a_click_during_another_request_is_not_lost(app: App, open_page: Open, tmp_path: Path) -> None:
    notes = [tmp_path / f"{room}.txt" for room in ("kitchen", "hall", "attic")]
    for path in notes:
        path.write_text(f"The spare key of the {path.stem} hangs behind the blue door.")
    page = open_page(app)
    upload(page, *notes)
    uploaded(page, 3)
    ask(page, "Where does the spare key hang?")
    wait_for_answer(page)
    page.evaluate("document.querySelectorAll('#sources details').forEach((each) => each.open = true)")
    click_all(page, "#sources", "data-open")
    expect(page.locator("#sources .sp-view")).to_have_count(3)
    expect(page.locator("#sources [aria-busy]")).to_have_count(0)

    click_all(page, "#documents", "data-remove")
    expect(page.locator("#documents [data-remove]")).to_have_count(0)
