"""Share links and downloads: how a link is made, what a hostile one can do, what a download contains."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page, expect

from chat_page.sharing.share import link_fragment
from rag.answering.turn import Turn
from tests.security.attacks import ATTACKS, PIXEL
from tests.security.conftest import CANARY, Served
from tests.security.test_injection import HAS_KEY, MESSAGES, Watch
from tests.security.wire import Guest

Open = Callable[..., Page]
BROKEN = ["x", "%00", "<img src=x onerror=window.pwned=1>", "A" * 50_000, link_fragment([Turn("Why?", "So.")])[:-9]]


def packed(value: Any) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(json.dumps(value).encode()) + packer.flush()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def hostile() -> str:
    """Return a link in which every text is an attack."""
    name = f"<img src={PIXEL}>![x]({PIXEL}).pdf"
    cited = [{"n": 1, "d": name, "p": 1}]
    turns = [
        {"q": text, "a": f"{text}\n\n[1](#source-1-1)\n\nDone.", "c": cited, "m": text[:100], "t": ""}
        for text in ATTACKS.values()
    ]
    return packed({"v": 1, "turns": turns})


def test_a_link_contains_the_conversation_and_no_document(served: Served, browser: Browser) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{served.url}/?__theme=light&__sign=secret")
    page.wait_for_function(HAS_KEY)
    page.locator("#samples input").uncheck()
    page.locator("#question textarea").fill("Say ten words.")
    page.locator("#question .submit-button").click()
    expect(page.locator("#chat .sp-line").last).to_contain_text("scripted")
    page.get_by_role("button", name="Share by link").click()
    link_box = page.locator("#link textarea, #link input")
    expect(link_box).to_have_value(re.compile(re.escape(f"{served.url}/#c=")))  # without the query
    assert page.evaluate("navigator.clipboard.readText()") == link_box.input_value()
    with page.expect_download() as download_info:
        page.get_by_role("button", name="Download Markdown").click()
    assert download_info.value.url.startswith(f"blob:{served.url}/")
    assert "word9" in Path(download_info.value.path()).read_text()
    link = link_box.input_value()
    context.close()

    other = browser.new_context()
    page = other.new_page()
    page.goto(link)
    expect(page.locator("#chat .user.message")).to_have_text("Say ten words.")
    expect(page.locator("#chat")).to_contain_text("word9")
    second_fragment = link_fragment([Turn("And then?", "Then this.")])
    page.evaluate(f"location.hash = 'c={second_fragment}'")
    expect(page.locator("#chat")).to_contain_text("Then this.")
    expect(page.locator("#chat")).not_to_contain_text("word9")
    other.close()


def test_a_hostile_link_is_displayed_as_text(served: Served, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    watch = Watch(page, served)
    page.goto(f"{served.url}/#c={hostile()}")
    expect(page.locator("#chat .user.message")).to_have_count(len(ATTACKS))
    expect(page.locator("#chat")).to_contain_text("Done.")
    watch.check(MESSAGES)
    expect(page.locator('#chat .message a[href^="#"], #chat .message a[href*="source-"]')).to_have_count(0)
    context.close()


def test_a_broken_link_changes_nothing(guest: Guest) -> None:
    guest.ask("Why?")
    turn = {"q": "x", "a": "x", "c": [], "m": "", "t": ""}
    malformed = [
        *({"v": 1, "turns": [turn | wrong]} for wrong in ({"q": 1}, {"t": "<img>"}, {"more": 1}, {"c": [{"n": 1}]})),
        {"v": 0, "turns": [turn]},
        {"v": 1, "turns": []},
        {"v": 1, "turns": [turn] * 300},
        {"v": 1, "turns": [turn | {"a": "x" * 2_000_000}]},
        [],
        "x",
    ]
    for fragment in [*BROKEN, *map(packed, malformed)]:
        outcome = guest.call("open_link", [fragment, guest.key])
        assert "This link contains no conversation that can be opened." in outcome.stream, fragment[:60]
    later = guest.call("open_link", [packed({"v": 99, "turns": [turn]}), guest.key])
    assert "A later version of this page made this link." in later.stream
    assert "Why?" in guest.call("export_markdown", guest.inputs("export_markdown")).stream


def test_the_page_reports_a_broken_link(served: Served, open_page: Open) -> None:
    page = open_page(served.app)
    watch = Watch(page, served)
    page.evaluate(f"location.hash = 'c={BROKEN[2]}'")
    expect(page.get_by_text("This link contains no conversation that can be opened.")).to_be_visible()
    watch.check("#chat")


@pytest.fixture
def hostile_guest(guest: Guest) -> Guest:
    """A guest whose questions, answers, thoughts and documents are attacks."""
    guest.add_document(
        f"<img src={PIXEL.replace('/', '-')}> ![x](y).md", "\n\n".join(["The kettle is red.", *ATTACKS.values()])
    )
    for name, attack in ATTACKS.items():
        guest.ask(f"How red is the kettle? {attack} Attack: {name}", general_knowledge=True)
    return guest


def test_a_download_of_hostile_texts_loads_nothing(hostile_guest: Guest) -> None:
    """Any program may display the Markdown; the JSON is exact."""
    (markdown,) = hostile_guest.call("export_markdown", hostile_guest.inputs("export_markdown")).output
    assert "How red is the kettle?" in markdown
    for rules in ("commonmark", "gfm-like", "js-default"):
        html = MarkdownIt(rules, {"html": True, "linkify": False}).render(markdown)
        assert (
            re.findall(r"<(?:img|svg|script|i?frame|object|style|video|link|meta|base|form|a)\b[^>]*>", html, re.I)
            == []
        )
        assert "language-mermaid" not in html.lower()
    (exported,) = hostile_guest.call("export_json", hostile_guest.inputs("export_json")).output
    questions = [each["question"] for each in json.loads(exported)["exchanges"]]
    assert questions == [f"How red is the kettle? {attack} Attack: {name}" for name, attack in ATTACKS.items()]


def test_a_link_contains_quotes_but_no_passage_no_thought_and_no_key(guest: Guest) -> None:
    text = f"The vault of the lighthouse has a blue door. Only the keeper knows the word {CANARY}."
    guest.add_document("vault.txt", text)
    assert CANARY in guest.ask("What colour is the door of the vault of the lighthouse?").stream
    guest.ask("Think. Attack: whisper", general_knowledge=True)
    (fragment, _) = guest.call("share_link", guest.inputs("share_link")).output
    data = zlib.decompress(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4)), -15)
    assert b"The vault of the lighthouse has a blue door." in data
    assert data.count(b"whisper") == 1  # in the question, not in the thought
    for secret in (CANARY, guest.key, guest.session):
        assert secret.encode() not in data
