"""What a page sends is heard of, and shown in its order, whenever the answers and its stream of events arrive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.apps import App
from tests.helpers.chat import ask, upload, uploaded, wait_for_answer

# On a slow network the end of a stream comes late: here, after the answer to an event that was sent meanwhile. And it
# comes before the server has returned. The answer to an event can come after the event's messages.
SLOW_END = """
const send = window.fetch;
let joins = 0;
window.ends = window.lateEnds = window.hungUp = 0;
window.fetch = async (request, options) => {
  const address = request.url ?? String(request);
  while (address.includes("/upload?") && window.holdUpload) await new Promise((resolve) => setTimeout(resolve, 50));
  const response = await send(request, options);
  if (address.includes("/queue/join")) joins += 1;
  if (address.includes("/queue/join") && window.holdAnswer) {
    window.holdAnswer = false;
    await new Promise((resolve) => window.answersNever || setTimeout(resolve, 1500));
    window.answered = true;
  }
  if (!address.includes("/queue/data")) return response;
  const reader = response.body.getReader();
  let returned = false;
  request.signal.addEventListener("abort", () => { window.hungUp += !returned; });
  return new Response(new ReadableStream({async pull(out) {
    const {done, value} = await reader.read();
    if (done) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      returned = true;
      return out.close();
    }
    if (new TextDecoder().decode(value).includes("close_stream")) {
      window.ends += 1;
      if (window.waitForJoin) {
        window.waitForJoin = false;
        const before = joins;
        while (joins === before) await new Promise((resolve) => setTimeout(resolve, 10));
        await new Promise((resolve) => setTimeout(resolve, 200));
        window.lateEnds += 1;
      }
    }
    out.enqueue(value);
  }}), {status: response.status, headers: response.headers});
};
"""


@pytest.fixture
def page(app: App, new_page: Callable[..., Page]) -> Page:
    """A page whose first stream of events has ended."""
    page = new_page()
    page.add_init_script(SLOW_END)
    page.goto(app.url)
    expect(page.locator("#model-state")).to_have_text("Ready")
    page.wait_for_function("window.ends > 0")
    return page


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text("The spare key hangs behind the blue door.")
    return path


def test_a_file_that_is_sent_while_the_stream_ends_is_read(page: Page, note: Path) -> None:
    page.evaluate("window.waitForJoin = true")
    page.locator("#new-chat").click()
    page.wait_for_function("window.waitForJoin === false")  # its end is on its way
    upload(page, note)
    uploaded(page, 1)
    assert page.evaluate("window.lateEnds") == 1
    assert page.evaluate("window.hungUp") == 0  # the server would take it for a visitor who has left


def test_a_late_answer_to_an_event_hides_nothing_that_came_after_it(page: Page) -> None:
    page.locator("#samples input").uncheck()
    ask(page, "Say: terns")
    wait_for_answer(page)
    page.evaluate("window.holdAnswer = true")
    page.locator("#new-chat").click()
    page.wait_for_function("window.holdAnswer === false")
    page.locator("#chats .sp-chat").click()
    page.wait_for_function("window.answered")
    page.wait_for_timeout(500)
    expect(page.locator("#chat .user.message")).to_have_text("Say: terns", timeout=2_000)


def test_a_file_that_arrives_after_a_stream_has_ended_is_read(page: Page, note: Path) -> None:
    """Gradio's page follows an upload's progress with the stream that it then takes for the one of its events."""
    ends = page.evaluate("window.ends")
    page.evaluate("window.holdUpload = true")
    page.locator("#new-chat").click()
    upload(page, note)
    page.wait_for_function("ends => window.ends > ends", arg=ends)
    page.evaluate("window.holdUpload = false")
    uploaded(page, 1)


def test_an_answer_that_never_comes_stops_no_other_event(page: Page, note: Path) -> None:
    page.evaluate("window.holdAnswer = window.answersNever = true")
    page.locator("#new-chat").click()
    page.wait_for_function("window.holdAnswer === false")
    upload(page, note)
    uploaded(page, 1)
