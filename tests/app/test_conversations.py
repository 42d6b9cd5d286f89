"""Several conversations in a browser: the list, two tabs, and a reload in the middle of an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.helpers.apps import App
from tests.helpers.chat import ask, leave_samples_out, wait_for_answer
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import wait_until

Open = Callable[..., Page]


def open_chat(open_page: Open, app: App, **options: int) -> Page:
    page = open_page(app, **options)
    page.wait_for_function("localStorage.getItem('spaceport-visitor')")
    leave_samples_out(page)
    return page


def second_tab(page: Page) -> Page:
    tab = page.context.new_page()
    tab.goto(page.url)
    expect(tab.locator("#chats nav")).to_be_attached()
    leave_samples_out(tab)
    return tab


def test_the_list_opens_renames_searches_and_deletes(app: App, open_page: Open) -> None:
    page = open_chat(open_page, app)
    ask(page, "Say ten words about ferries.")
    wait_for_answer(page)
    page.locator("#new-chat").click()
    expect(page.locator("#chat .message")).to_have_count(0)
    ask(page, "Say: terns")
    wait_for_answer(page)
    expect(page.locator("#chats .sp-chat")).to_have_text(["Say: terns", "Say ten words about ferries."])
    expect(page.locator("#chats [aria-current]")).to_have_text("Say: terns")

    page.locator("#chats .sp-chat").nth(1).click()
    expect(page.locator("#chat .user.message")).to_have_text("Say ten words about ferries.")
    expect(page.locator("#chats [aria-current]")).to_have_text("Say ten words about ferries.")
    page.reload()
    expect(page.locator("#chat .user.message")).to_have_text("Say ten words about ferries.")
    expect(page.locator("#chats [aria-current]")).to_have_text("Say ten words about ferries.")

    box = page.locator("#question textarea")
    expect(box).to_have_value("")  # what was sent isn't a draft
    box.fill("Not sent yet")
    page.reload()
    expect(box).to_have_value("Not sent yet")
    page.goto("about:blank")
    page.go_back()
    expect(box).to_have_value("Not sent yet")
    expect(page.locator("#chat .user.message")).to_have_text("Say ten words about ferries.")
    page.locator("#chats .sp-chat").first.click()
    expect(page.locator("#chat .user.message")).to_have_text("Say: terns")
    expect(box).to_have_value("")
    page.locator("#chats .sp-chat").nth(1).click()
    expect(box).to_have_value("Not sent yet")
    box.fill("")

    page.locator("#chats li").nth(1).locator("[data-rename]").click()
    page.keyboard.type("<b>Ferries</b>")
    # Its list would come after that of a search that is faster than a person.
    with page.expect_event("requestfinished", lambda request: "/queue/data" in request.url):
        page.keyboard.press("Enter")
    expect(page.locator("#chats .sp-chat").nth(1)).to_have_text("<b>Ferries</b>")
    expect(page.locator("#chats .sp-chat").nth(1)).to_be_focused()
    page.locator("#search-chats textarea, #search-chats input").fill("about FERRIES")
    expect(page.locator("#chats .sp-chat")).to_have_text(["<b>Ferries</b>"])
    page.locator("#search-chats textarea, #search-chats input").fill("")
    expect(page.locator("#chats .sp-chat")).to_have_count(2)

    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator("#chats [data-delete]").nth(1).click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#chats [data-delete]").nth(1).click()
    expect(page.locator("#chats .sp-chat")).to_have_text(["Say: terns"])
    expect(page.locator("#chat .message")).to_have_count(0)


def test_two_tabs_erase_nothing(app: App, open_page: Open) -> None:
    first = open_chat(open_page, app)
    ask(first, "Say: first")
    wait_for_answer(first)
    second = second_tab(first)  # it continues the same conversation
    expect(second.locator("#chat .user.message")).to_have_text("Say: first")
    ask(second, "Say: second")
    wait_for_answer(second)
    first.bring_to_front()
    ask(first, "Say: third")
    wait_for_answer(first)
    expect(first.locator("#chat .user.message")).to_have_text(["Say: first", "Say: second", "Say: third"])
    second.locator("#new-chat").click()
    expect(second.locator("#chat .message")).to_have_count(0)
    ask(second, "Say: another chat")
    wait_for_answer(second)
    first.reload()
    expect(first.locator("#chat .user.message")).to_have_text(["Say: first", "Say: second", "Say: third"])
    second.reload()
    expect(second.locator("#chat .user.message")).to_have_text(["Say: another chat"])
    for page in (second, first):
        page.bring_to_front()  # a page in the background isn't rendered
        expect(page.locator("#chats .sp-chat")).to_have_text(["Say: another chat", "Say: first"])


def test_an_answer_goes_on_in_another_conversation_and_after_a_reload(
    app: App, model: ScriptedModel, open_page: Open
) -> None:
    page = open_chat(open_page, app)
    question = "Go on for ever, here and there."
    ask(page, question)
    expect(page.locator("#chat .bot").last).to_contain_text("word word")
    page.locator("#new-chat").click()
    expect(page.locator("#chat .message")).to_have_count(0)
    expect(page.locator("#question .submit-button")).to_be_visible()
    page.locator("#chats .sp-chat").first.click()
    expect(page.locator("#chat .bot").last).to_contain_text("word word")
    expect(page.locator("#question .stop-button")).to_be_visible()
    page.reload()
    expect(page.locator("#question .stop-button")).to_be_visible()
    expect(page.locator("#samples input")).not_to_be_checked()
    words = len(page.locator("#chat .bot").last.inner_text())
    wait_until(lambda: len(page.locator("#chat .bot").last.inner_text()) > words + 50)
    page.locator("#question .stop-button").click()
    wait_until(lambda: question in model.disconnected, 60, lambda: "the request was not cancelled")
    expect(page.locator("#question .submit-button")).to_be_visible()
    expect(page.locator("#chat .bot").last).to_contain_text("word word")


def test_the_list_on_a_phone(app: App, open_page: Open) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_chat_on_phone(open_page, app)
    page.locator("#sidebar .toggle-button").click()
    expect(page.locator("#chats .sp-chat").first).to_be_in_viewport()
    violations = [
        (each["id"], [node["html"] for node in each["nodes"]])
        for each in Axe().run(page, context="#sidebar").response["violations"]
    ]
    assert violations == []
    page.locator("#new-chat").click()
    expect(page.locator("#chat .message")).to_have_count(0)


def open_chat_on_phone(open_page: Open, app: App) -> Page:
    page = open_page(app, width=390, height=844)
    page.wait_for_function("localStorage.getItem('spaceport-visitor')")
    ask(page, "Say: on a phone")
    wait_for_answer(page)
    return page


def test_a_thumb_is_kept(app: App, open_page: Open) -> None:
    page = open_chat(open_page, app)
    ask(page, "Say: thumbs up")
    wait_for_answer(page)
    before = set(app.log.parent.glob("data/visitors/*/feedback.jsonl"))
    page.locator("#chat .bot-row").last.hover()
    page.get_by_role("button", name=re.compile("^like$", re.IGNORECASE)).last.click()
    expect(page.get_by_text("Your rating is stored with your data.")).to_be_visible()
    (file,) = {*app.log.parent.glob("data/visitors/*/feedback.jsonl")} - before
    assert json.loads(file.read_text())["question"] == "Say: thumbs up"
    page.reload()
    expect(page.get_by_role("button", name="Liked")).to_be_visible()
    page.locator("#new-chat").click()
    ask(page, "Say: no thumb")
    wait_for_answer(page)
    expect(page.get_by_role("button", name="Liked")).to_have_count(0)
