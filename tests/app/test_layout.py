"""The page's layout in a browser: what moves, what stays, and what an answer looks like."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.helpers.apps import App
from tests.helpers.chat import ask, leave_samples_out, upload, uploaded, wait_for_answer
from tests.helpers.servers import wait_until

Open = Callable[..., Page]
FORMULAS = r"It is $a^2$ and \(b_1 * c_1\) and $$d^2$$ but costs from $5 to $10, or US$3."
# Remembers what is said about files, however short it is shown.
RECORD_STATES = """() => {
  window.states = [];
  const record = () => {
    const state = document.querySelector("#files-state");
    if (state?.checkVisibility() && state.innerText !== states.at(-1)) states.push(state.innerText);
  };
  new MutationObserver(record).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
CODE = "int main() {\n    std::vector<int> v{1};  // <b>![x](y)\n    return v[0](1);\n}"


def top(element: Locator) -> float:
    box = element.bounding_box()
    assert box
    return box["y"]


def bottom(element: Locator) -> float:
    box = element.bounding_box()
    assert box
    return box["y"] + box["height"]


def say(page: Page, text: str) -> Locator:
    """Let the model say a text, without documents, and return its message."""
    ask(page, f"Tell me. Say: {text}")
    wait_for_answer(page)
    return page.locator("#chat .bot .message-content:not(:has(.sp-line))").last


@pytest.mark.parametrize(("width", "height"), [(1280, 860), (390, 844)], ids=["wide", "phone"])
def test_a_citation_never_moves_the_answer(app: App, open_page: Open, width: int, height: int) -> None:
    page = open_page(app, width=width, height=height)
    assert 0 <= top(page.locator("#chat .example").first) - bottom(page.locator("#chat .placeholder .prose")) < 40
    ask(page, "How did the number of Arctic terns change? Say: So it was.")
    wait_for_answer(page)
    quote = page.locator("#chat .sp-quote a").first
    expect(quote).to_be_in_viewport()  # Gradio would scroll to the end of the answer
    if width > 1000:
        page.locator("[data-close-pane]").click()
    expect(page.locator("#pane")).to_be_hidden()
    before = top(quote)
    quote.click()
    expect(page.locator("#pane .sp-view mark").first).to_be_in_viewport()
    assert abs(top(quote) - before) <= 4
    page.locator("[data-close-pane]").click()
    expect(page.locator("#pane")).to_be_hidden()
    assert abs(top(quote) - before) <= 4
    expect(quote).to_be_focused()
    if width < 1000:  # the sheet is a step of the history
        quote.click()
        expect(page.locator("#pane")).to_be_visible()
        page.go_back()
        expect(page.locator("#pane")).to_be_hidden()
        assert abs(top(quote) - before) <= 4


def test_a_citation_says_its_words_and_the_tab_its_chat(app: App, open_page: Open) -> None:
    page = open_page(app)
    ask(page, "How many visitors does the viewing deck hold? Say: So many.")
    wait_for_answer(page)
    quote = page.locator("#chat .sp-quote a").first
    quote.hover()
    expect(quote).to_have_attribute("title", re.compile(r"^[\w-]+\.\w+, [^\n]+\n.*viewing deck.*600 visitors"))
    expect(page).to_have_title(re.compile(r"^How many visitors .* · Chat with documents$"))
    follow_up = page.locator("#chat .option").first
    expect(follow_up).to_contain_text("What does harbour-handbook.md say about “")
    text = follow_up.inner_text()
    follow_up.click()
    wait_for_answer(page, is_sent=False)
    expect(page.locator("#chat .user.message").last).to_have_text(text)
    expect(page.locator("#chat .sp-quote")).not_to_have_count(1)
    page.keyboard.press("Control+Shift+O")
    expect(page.locator("#chat .message")).to_have_count(0)
    expect(page).to_have_title("Chat with documents")
    expect(page.locator("#question textarea")).to_be_focused()


# The middles of elements, in pixels from the top.
MIDDLES = "parts => parts.map(each => each.getBoundingClientRect()).map(box => box.top + box.height / 2)"


def test_the_composer_stays_at_the_bottom_and_a_question_goes_to_the_top(app: App, open_page: Open) -> None:
    page = open_page(app, width=390, height=700)
    leave_samples_out_on_phone(page)
    say(page, "\n\n".join(f"Paragraph {number}." for number in range(40)))
    say(page, "Short.")
    question, arrow = page.locator("#chat .user.message").last, page.locator("#chat .scroll-down-button-container")
    wait_until(lambda: top(question) < 200)
    expect(arrow).to_be_hidden()  # below the newest answer is nothing
    page.locator("#chat .bubble-wrap").evaluate("log => log.scrollTop = 0")
    arrow.click()
    expect(arrow).to_be_hidden()
    wait_until(lambda: top(question) < 200)
    composer = page.locator("#composer").bounding_box()
    assert composer and 640 < composer["y"] + composer["height"] <= 700
    attach, model = page.locator("#composer-tools").locator("button:visible, #target input").evaluate_all(MIDDLES)[:2]
    assert abs(attach - model) < 1


def test_the_answers_to_a_question_that_is_asked_again_are_side_by_side_on_a_wide_screen(
    app: App, open_page: Open
) -> None:
    page = open_page(app, width=1700)
    for text in ("Once.", "What is the exclusion zone? Say: First."):
        ask(page, text)
        wait_for_answer(page)
    page.locator("#target input").click()
    page.get_by_role("option", name="second").click()
    page.get_by_role("button", name="Retry").last.click()
    expect(page.locator("#chat .sp-line").last).to_contain_text("second")
    wait_for_answer(page)
    ask(page, "Then.")
    wait_for_answer(page)
    expect(page.locator("#chat .sp-line summary")).to_have_text(
        [re.compile("^scripted ·"), re.compile("^scripted ·"), re.compile("^second ·"), re.compile("^second ·")]
    )
    rows, questions = page.locator("#chat .bot-row"), page.locator("#chat .user.message")
    expect(rows).to_have_count(4)
    alone, first, second, last = (rows.nth(index).bounding_box() for index in range(4))
    assert alone and first and second and last
    assert abs(first["y"] - second["y"]) < 2
    assert first["x"] + first["width"] < second["x"]
    assert alone["width"] == last["width"] > 1.9 * first["width"]
    assert last["y"] > max(box["y"] + box["height"] for box in (first, second))
    expect(questions.nth(1)).to_be_visible()
    expect(questions.nth(2)).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(questions.nth(2)).to_be_visible()
    below, above = rows.nth(2).bounding_box(), rows.nth(1).bounding_box()
    assert below and above and below["y"] > above["y"] + above["height"]


def test_a_token_computes_the_style_of_its_own_answer_only(app: App, browser: Browser, open_page: Open) -> None:
    page = open_page(app)
    leave_samples_out(page)
    for _ in range(3):
        say(page, "\n\n".join(f"-\t**{number}**" for number in range(100)))  # a token an item
    earlier = page.locator("#chat .message *").count()
    ask(page, "Go on for ever, with style.")
    expect(page.locator("#chat .bot").last).to_contain_text("word word")
    like = page.locator("#chat [aria-label='Like']").last
    expect(like).to_be_hidden()  # nobody rates half an answer
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.wait_for_timeout(1000)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    page.locator("#question .stop-button").click()
    expect(like).to_be_visible()
    sizes = [event["args"]["elementCount"] for event in events if "elementCount" in event.get("args", {})]
    assert sizes
    assert max(sizes) < earlier / 4


def leave_samples_out_on_phone(page: Page) -> None:
    page.locator("#sidebar .toggle-button").click()
    leave_samples_out(page)
    page.locator("#sidebar .toggle-button").click()
    expect(page.locator("#samples")).not_to_be_in_viewport()


def test_an_answer_is_shown_and_copied_as_the_model_wrote_it(app: App, open_page: Open) -> None:
    page = open_page(app)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, "What is the exclusion zone? Say: So it is.")
    wait_for_answer(page)
    quotes = copy_last_answer(page, "pad-operations.md")
    assert quotes.startswith("“")
    assert not any(tag in quotes for tag in ("<div", "<figure", "<mark", "](#"))

    leave_samples_out(page)
    message = say(page, f"So:\n\n```cpp\n{CODE}\n```\n\n```mermaid\ngraph TD; A-->B\n```\n\n{FORMULAS}")
    expect(message.locator("pre code")).to_have_count(2)
    expect(message.locator("pre code").first).to_contain_text("std::vector")
    expect(message.locator("svg[id^=mermaid]")).to_have_count(0)
    expect(message.locator(".katex annotation")).to_have_text(["a^2", "b_1 * c_1", "d^2"])
    expect(message).to_contain_text("but costs from $5 to $10, or US$3.")
    message.locator(".copy_code_button").first.click()
    expect(message.locator(".copy_code_button .check").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() == CODE
    copied = copy_last_answer(page, "So:")
    assert f"```cpp\n{CODE}\n```\n\n```mermaid\n" in copied
    assert "sp-line" not in copied


def copy_last_answer(page: Page, text: str) -> str:
    """Copy the last answer, which has this text, and return what the clipboard then has."""
    page.get_by_role("button", name="Copy message").last.click()
    page.wait_for_function("async (text) => (await navigator.clipboard.readText()).includes(text)", arg=text)
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_document_that_is_left_out_is_not_asked(app: App, open_page: Open, tmp_path: Path) -> None:
    for name in ("hall", "attic"):
        (tmp_path / f"{name}.txt").write_text(f"The spare key of the {name} hangs behind the blue door.")
    page = open_page(app)
    upload(page, tmp_path / "hall.txt", tmp_path / "attic.txt")
    uploaded(page, 2)
    expect(page.locator("#documents .sp-size").first).to_have_text("53 characters · 1 passage")
    with page.expect_response("**/gradio_api/run/predict*"):
        page.get_by_label("Ask hall.txt").uncheck()
    ask(page, "Where does the spare key hang? Say: There.")
    wait_for_answer(page)
    expect(page.locator("#sources .sp-card")).to_have_count(1)
    expect(page.locator("#sources .sp-card")).to_contain_text("attic.txt")


def test_a_phone_says_what_happens_to_files(app: App, open_page: Open, tmp_path: Path) -> None:
    """The list of documents is in the sidebar, which is closed there."""
    page = open_page(app, width=390)
    state = page.locator("#files-state")
    expect(state).to_be_hidden()
    model = page.locator("#model-state .sp-state")
    expect(model).to_be_in_viewport(ratio=1)  # a dot beside the model's name
    expect(model).to_have_text("Ready")
    (tmp_path / "long.txt").write_text("The kettle holds 1.7 litres. " * 500)
    (tmp_path / "empty.txt").write_text(" ")
    page.locator("#attach").wait_for()
    page.evaluate(RECORD_STATES)
    upload(page, tmp_path / "long.txt")
    uploaded(page, 1)
    assert any("long.txt: " in text for text in page.evaluate("window.states"))
    expect(state).to_be_hidden()
    upload(page, tmp_path / "empty.txt")
    expect(state).to_contain_text("empty.txt")
    expect(state.locator(".sp-bad")).to_be_visible()
    page.locator("#sidebar .toggle-button").click()
    expect(state).to_be_hidden()


def test_a_file_can_be_dropped_anywhere_and_gives_questions(app: App, open_page: Open) -> None:
    page = open_page(app)
    data = page.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["# Tea\\n\\n## Kettles\\n\\nThe kettle holds 1.7 litres."], "tea.md"));
          return data;
        }"""
    )
    page.wait_for_function("localStorage.getItem('spaceport-visitor')")
    page.locator("#chat").dispatch_event("dragover", {"dataTransfer": data})
    page.locator("#chat").dispatch_event("drop", {"dataTransfer": data})
    uploaded(page, 1)
    page.get_by_text("What does tea.md say about “Kettles”?").click()
    wait_for_answer(page, is_sent=False)
    expect(page.locator("#sources .sp-card").first).to_contain_text("tea.md")
