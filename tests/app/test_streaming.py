"""Stop, errors and thoughts on the page, with a scripted server on the real protocol."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

from tests.helpers.apps import App
from tests.helpers.chat import ask, leave_samples_out, wait_for_answer
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import wait_until

Open = Callable[..., Page]


@pytest.fixture
def open_chat(open_page: Open) -> Open:
    """Open the page as a plain chat without documents."""

    def open_one(app: App) -> Page:
        page = open_page(app)
        leave_samples_out(page)
        return page

    return open_one


def test_stop_and_closing_the_page_reach_the_server_and_others_continue(
    app: App, model: ScriptedModel, open_chat: Open
) -> None:
    mine, yours = open_chat(app), open_chat(app)
    stopped, other, left = (f"Go on for ever, {uuid4()}." for _ in range(3))  # the test can run again
    ask(yours, other)
    ask(mine, stopped)
    expect(mine.locator("#chat .bot").last).to_contain_text("word word")

    mine.locator("#question .stop-button").click()
    wait_until(lambda: stopped in model.disconnected, 60, lambda: "the request was not cancelled")
    expect(mine.locator("#question .submit-button")).to_be_visible()
    expect(mine.locator("#chat")).to_contain_text("Stopped.")
    expect(mine.locator("#chat .bot").last).to_contain_text("word word")

    ask(mine, left)
    wait_until(lambda: model.delta_counts.get(left, 0) > 1)
    mine.close()
    wait_until(lambda: left in model.disconnected, 60, lambda: "the request of a closed page was not cancelled")

    sent = model.delta_counts[other]
    wait_until(lambda: model.delta_counts[other] > sent + 10)
    assert other not in model.disconnected
    yours.locator("#question .stop-button").click()
    expect(yours.locator("#question .submit-button")).to_be_visible()


def test_errors_and_thoughts_are_shown_and_not_sent_to_the_model(
    app: App, model: ScriptedModel, open_chat: Open
) -> None:
    page = open_chat(app)
    ask(page, "Say ten words.")  # its stream breaks
    wait_for_answer(page)
    expect(page.locator("#chat")).to_contain_text("word0 word1 word2 word3 word4 word5 word6 word7 word8 word9")
    expect(page.locator("#chat blockquote")).to_contain_text("cut off")
    page.locator("#new-chat").click()
    expect(page.locator("#chat .message")).to_have_count(0)
    ask(page, "Please refuse.")
    wait_for_answer(page)
    expect(page.locator("#chat blockquote")).to_contain_text("Set api_key")
    ask(page, "And now think.")
    expect(page.locator("#chat")).to_contain_text("Thinking")
    wait_for_answer(page)
    expect(page.locator("#chat")).to_contain_text("Thoughts")
    expect(page.get_by_text("The user asks.")).to_be_hidden()
    ask(page, "Say more.")
    wait_for_answer(page)
    sent = [message["content"] for message in model.requests[-1]["messages"]]
    assert not any("api_key" in text for text in sent)
    assert not any("The user asks" in text for text in sent)
    assert any("word0" in text for text in sent)


def test_an_answer_that_is_refused_or_fails_unexpectedly_gives_the_send_button_back(app: App, open_chat: Open) -> None:
    page = open_chat(app)
    page.locator("#question textarea").fill("word " * 4_000)
    page.locator("#question .submit-button").click()
    expect(page.locator(".toast-body")).to_contain_text("up to 10,000 characters")
    assert len(page.locator("#question textarea").input_value()) >= 19_999
    expect(page.locator("#chat .message")).to_have_count(0)

    def ask_for_too_many_passages(route: Route) -> None:
        body = route.request.post_data_json
        if len(body["data"]) == 8:  # the event that writes the answer: key, target, passages, …
            body["data"][2] = 99
        route.continue_(post_data=body)

    page.route("**/gradio_api/queue/join*", ask_for_too_many_passages)
    ask(page, "Say ten words.")
    expect(page.get_by_text("The page can't use what this event contains")).to_be_visible()
    expect(page.locator("#question .submit-button")).to_be_visible()
    page.unroute("**/gradio_api/queue/join*")
    ask(page, "Now think.")
    wait_for_answer(page)
    expect(page.locator("#chat")).to_contain_text("word9")


def test_an_answer_loads_nothing_and_invents_no_citation(app: App, open_page: Open) -> None:
    page = open_page(app)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    ask(page, "How many rooms does the guest house have (picture)?")
    wait_for_answer(page)
    assert not [url for url in requests if "tracker" in url]
    expect(page.locator("#chat .bot img")).to_have_count(0)
    expect(page.locator('#chat a[href="#source-1-1"]')).to_have_count(1)
    expect(page.locator('#chat a[href^="#source-1-9"]')).to_have_count(0)
    expect(page.locator("#sources")).to_contain_text("Removed 1 citation to a source that doesn't exist.")


def test_the_model_menu_has_the_available_models_and_the_reasons_for_the_others(app: App, open_page: Open) -> None:
    page = open_page(app)
    page.get_by_role("button", name="Settings").click()
    expect(page.locator("#unavailable")).to_contain_text("SPACEPORT_NOWHERE is not set")
    expect(page.locator("#unavailable")).to_contain_text("not answering")
    page.locator("#target input").click()
    expect(page.get_by_role("option")).to_have_text([re.compile("scripted"), re.compile("second")])
