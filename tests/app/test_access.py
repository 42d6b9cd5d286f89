"""Accessibility: screen readers, keyboard, reduced motion and right-to-left text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FileChooser, Locator, Page, expect

from tests.conftest import missing
from tests.helpers.apps import App
from tests.helpers.chat import ask, upload, wait_for_answer
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import wait_until

Open = Callable[..., Page]
TABS = 60
# axe leaves this rule out: a target has at least 24 pixels, or as much room.
TARGET_SIZE = {"rules": {"target-size": {"enabled": True}}}
# Plotly's own buttons above a chart have 21 pixels. What they show is in the tables too.
EXEMPT = {"target-size": "modebar-btn"}
# The rules that depend on the theme.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
FIRST = 120_000  # milliseconds; the first document waits for the embedding model


@pytest.fixture(scope="session")
def axe() -> Any:
    """The rules of axe-core, which runs inside the page."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        missing("the package axe-playwright-python")
    return Axe()


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text("# Kitchen\n\nThe kettle of the guest house holds 1.7 litres of water.")
    return path


def violations(axe: Any, page: Page, context: str | None = None, **options: Any) -> dict[str, list[str]]:
    """Return the violated rules, each with its elements, of the page or of the part with this selector."""
    options = {"resultTypes": ["violations"], **({} if "runOnly" in options else TARGET_SIZE), **options}
    found: dict[str, list[str]] = {}
    for rule in axe.run(page, context, options).response["violations"]:
        for node in rule["nodes"]:
            if EXEMPT.get(rule["id"], "\0") not in node["html"]:
                found.setdefault(rule["id"], []).append(f"{node['target']} {node['html'][:160]}")
    return found


def violations_in_both_themes(axe: Any, page: Page) -> dict[str, list[str]]:
    """Return the violated rules in light, and those of the colours in dark."""
    return violations_in_theme(axe, page, "light") | violations_in_theme(axe, page, "dark", **COLOURS)


def violations_in_theme(axe: Any, page: Page, theme: str, **options: Any) -> dict[str, list[str]]:
    """Return the violated rules in light or dark; the page is in light then."""
    page.evaluate("theme => document.body.classList.toggle('dark', theme === 'dark')", theme)
    page.wait_for_function("document.getAnimations().every(each => each.playState !== 'running')")
    found = {f"{rule}, {theme}": nodes for rule, nodes in violations(axe, page, **options).items()}
    page.evaluate("document.body.classList.remove('dark')")
    return found


def add_answer(page: Page, note: Path) -> None:
    """Add a document and an answer with a citation to the page."""
    upload(page, note)
    expect(page.locator("#documents [data-remove]")).to_have_count(1, timeout=FIRST)
    ask(page, "Show a picture of the kettle of the guest house.")
    wait_for_answer(page)
    expect(page.locator('#chat a[href*="#source-"]').first).to_be_visible()


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the element has the focus."""
    page.evaluate("document.activeElement?.blur()")
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{TABS} presses of Tab did not reach the element")


def test_axe_finds_no_violation_and_reduced_motion_is_respected(
    app: App, open_page: Open, axe: Any, note: Path
) -> None:
    page = open_page(app)
    page.emulate_media(reduced_motion="reduce")  # colours change within a frame, too
    expect(page.locator("p.loading")).to_have_count(0)  # Gradio's own, outside of any landmark
    assert violations_in_both_themes(axe, page) == {}
    add_answer(page, note)
    expect_no_motion(page)
    page.get_by_role("button", name="Settings").click()
    expect(page.locator("#sources .sp-view")).to_be_visible()
    assert violations_in_theme(axe, page, "dark", **COLOURS) == {}
    for width in (1280, 768, 390):
        page.set_viewport_size({"width": width, "height": 860})
        assert violations_in_theme(axe, page, "light") == {}, width
    page.locator('#chat a[href*="#source-"]').first.evaluate("link => link.click()")  # the sidebar covers the phone
    page.locator("#sidebar.open .toggle-button").click()
    expect(page.locator("#pane")).to_be_visible()
    assert violations_in_both_themes(axe, page) == {}


def expect_no_motion(page: Page) -> None:
    """Follow a citation, and expect that the page neither scrolls smoothly nor has an animation without end."""
    page.evaluate("""() => {
        window.calls = [];
        const scroll = Element.prototype.scrollIntoView;
        Element.prototype.scrollIntoView = function (how) { window.calls.push(how?.behavior); scroll.call(this, how); };
    }""")
    page.locator('#chat a[href*="#source-"]').first.click()
    expect(page.locator(".sp-card.sp-on")).to_be_in_viewport()
    assert "smooth" not in page.evaluate("window.calls")
    moving = page.evaluate("""() => [...document.querySelectorAll("main *")].filter((each) => {
        const style = getComputedStyle(each);
        return style.animationName !== "none" && parseFloat(style.animationDuration) > 0.01
          && style.animationIterationCount === "infinite" && each.checkVisibility();
    }).map((each) => each.outerHTML.slice(0, 120))""")
    assert moving == []


def test_a_question_is_asked_and_stopped_by_keyboard_and_its_answer_is_announced(
    app: App, model: ScriptedModel, open_page: Open
) -> None:
    page = open_page(app)
    expect_visible_focus(page)
    page.locator("#samples input").uncheck()
    tab_to(page, page.locator("#question textarea"))
    page.keyboard.type("Go on for ever, by keyboard.")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .bot").last).to_contain_text("word word")
    live = page.locator("#chat .bot").last.locator("xpath=ancestor-or-self::*[@aria-live or @role='log']")
    assert live.count() >= 1
    assert live.last.get_attribute("aria-live") in (None, "polite")
    tab_to(page, page.locator("#question .stop-button"))
    page.keyboard.press("Enter")
    wait_until(lambda: "Go on for ever, by keyboard." in model.disconnected, 60, lambda: "it was not stopped")
    expect(page.locator("#question .submit-button")).to_be_visible()


def choose_by_keyboard(page: Page, file: Path) -> None:
    """Choose a file. On a slow machine the page may still draw the button, and miss the first key."""
    choosers: list[FileChooser] = []
    # Playwright takes a moment to intercept the choice of files: a key that comes at once opens Chromium's own.
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    for _ in range(2):
        tab_to(page, page.get_by_role("button", name="Attach files"))
        page.keyboard.press("Enter")
        for _ in range(100):
            if choosers:
                return choosers[0].set_files(file)
            page.wait_for_timeout(100)
    pytest.fail("no key opens the choice of files")


def test_the_way_from_a_file_to_its_words_and_back_by_keyboard_alone(app: App, open_page: Open, note: Path) -> None:
    page = open_page(app)
    expect(page.locator("#model-state")).to_have_text("Ready")  # the page's own first events have ended
    choose_by_keyboard(page, note)
    expect(page.locator("#documents [data-remove]")).to_have_count(1, timeout=FIRST)
    expect(page.locator("#documents").get_by_role("status")).to_contain_text("note.md")
    tab_to(page, page.locator("#question textarea"))
    page.keyboard.type("How much water does the kettle hold? Say: It holds 1.7 litres.")
    page.keyboard.press("Enter")
    citation = page.locator("#chat .sp-quote a").first
    expect(citation).to_be_visible()
    expect(page.locator("#question .submit-button")).to_be_visible()
    tab_to(page, citation)
    page.keyboard.press("Enter")
    expect(page.locator("#sources .sp-view mark")).to_contain_text("1.7 litres")
    expect(page.locator(".sp-card.sp-on")).to_be_in_viewport()
    assert page.evaluate("document.activeElement.closest('.sp-card') !== null")
    page.keyboard.press("Escape")  # closes the passage
    page.keyboard.press("Escape")  # closes the pane
    expect(page.locator("#pane")).to_be_hidden()
    expect(citation).to_be_focused()
    tab_to(page, page.locator("#question textarea"))
    button = page.locator("#documents button[data-remove]")
    expect(button).to_have_accessible_name("Remove note.md")
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(page.locator("#documents li")).to_have_count(0)


def test_the_way_from_a_question_to_its_words_and_back_by_touch(app: App, open_page: Open) -> None:
    page = open_page(app, width=390, height=844, has_touch=True, is_mobile=True)
    page.get_by_text("What is the exclusion zone?").tap()
    wait_for_answer(page, is_sent=False)
    page.locator("#chat .sp-quote a").first.tap()
    expect(page.locator("#sources .sp-view mark").first).to_be_in_viewport()
    page.locator("[data-close-pane]").tap()
    expect(page.locator("#pane")).to_be_hidden()
    page.locator("[data-open-pane]").tap()
    expect(page.locator("#sources .sp-card").first).to_be_in_viewport()
    page.locator("[data-close-pane]").tap()
    page.locator("#sidebar .toggle-button").tap()
    page.locator("#chats .sp-chat").first.tap()
    expect(page.locator("#chats .sp-chat").first).not_to_be_in_viewport()  # the sidebar closes
    page.locator("#question .submit-button").tap()
    expect(page.locator("#chat .user.message")).to_have_count(1)  # there was nothing to send


def expect_visible_focus(page: Page) -> None:
    """Walk through the page with Tab, and expect each element to show that it has the focus."""
    invisible = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        # The element itself or the element around it can draw the focus ring; that of the question is the composer's.
        element = page.evaluate("""() => {
            const element = document.activeElement;
            if (!element || element === document.body) return "";
            const outlined = (e) => { const s = getComputedStyle(e);
              return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0; };
            const drawn = (e) => outlined(e) || getComputedStyle(e).boxShadow !== "none";
            let mark = element.matches("#question textarea") && outlined(document.querySelector("#composer"));
            for (let each = element, up = 0; each && up < 3; each = each.parentElement, up++) mark ||= drawn(each);
            return mark ? "" : element.outerHTML.slice(0, 120);
        }""")
        if element and element not in invisible:
            invisible.append(element)
    assert invisible == []


def test_right_to_left_text_has_its_direction(app: App, open_page: Open, tmp_path: Path) -> None:
    text = "ما هو ارتفاع برج الإطلاق؟"
    page = open_page(app)
    note = tmp_path / "tower.txt"
    note.write_text(f"{text} 120")
    upload(page, note)
    expect(page.locator("#documents [data-remove]")).to_have_count(1, timeout=FIRST)
    page.locator("#question textarea").fill(text)
    assert direction(page.locator("#question textarea")) == "rtl"
    page.locator("#question .submit-button").click()
    wait_for_answer(page, is_sent=False)
    assert direction(page.locator("#chat .user.message").get_by_text(text)) == "rtl"
    assert direction(page.locator("#sources").get_by_text(text).first) == "rtl"


def direction(element: Locator) -> str:
    return str(element.evaluate("element => getComputedStyle(element).direction"))
