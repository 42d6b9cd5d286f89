"""The playground page: requests to the server, the conversation, and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard_pages.conversation import export
from tests.compare.servers import Models
from tests.dashboard.conftest import DASHBOARD, Page, catalog_of, texts
from tests.helpers.scripted_model import ScriptedModel
from ui.markdown import ZERO_WIDTH_SPACE

WORDS = " ".join(f"word{number}" for number in range(10))


@pytest.fixture
def page(open_page: Page, scripted: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    unavailable = '[away]\nkind = "openai"\nurl = "${NOT_SET_ANYWHERE}"\nlabel = "A server"'
    monkeypatch.setenv("SPACEPORT_CATALOG", catalog_of(tmp_path, scripted.url, unavailable))
    return open_page("playground")


def ask(page: AppTest, question: str) -> AppTest:
    return page.chat_input(key="question").set_value(question).run()


def test_the_next_request_contains_the_previous_answer(page: AppTest, scripted: ScriptedModel) -> None:
    ask(page, "one")
    ask(page, "two")
    assert not page.exception
    assert [message.name for message in page.chat_message] == ["user", "assistant"] * 2
    assert WORDS in page.chat_message[1].markdown[0].value
    messages = [(message["role"], message["content"].strip()) for message in scripted.requests[-1]["messages"]]
    assert messages == [("user", "one"), ("assistant", WORDS), ("user", "two")]
    line = page.chat_message[3].caption[0].value
    assert line.startswith("scripted · first token ")
    assert " s in total" in line


def test_the_parameters_reach_the_server(page: AppTest, scripted: ScriptedModel) -> None:
    page.number_input(key="max_tokens").set_value(33)
    page.slider(key="temperature").set_value(0.7)
    page.slider(key="top_p").set_value(0.5)
    page.number_input(key="seed").set_value(11)
    page.text_area(key="system").set_value("Be brief.")
    ask(page, "one")
    request = scripted.requests[-1]
    assert (request["temperature"], request["top_p"], request["seed"]) == (0.7, 0.5, 11)
    assert 33 in (request.get("max_tokens"), request.get("max_completion_tokens"))
    assert request["messages"][0] == {"role": "system", "content": "Be brief."}


def test_parameters_without_a_value_are_not_sent(page: AppTest, scripted: ScriptedModel) -> None:
    ask(page, "one")
    assert scripted.requests[-1].get("top_p") is None
    assert scripted.requests[-1].get("seed") is None


def test_thoughts_are_folded_and_not_sent_with_the_next_request(page: AppTest, scripted: ScriptedModel) -> None:
    ask(page, "think")
    (thoughts,) = page.chat_message[1].expander
    assert thoughts.label == "Thoughts"
    assert not thoughts.proto.expanded
    assert thoughts.markdown[0].value.strip() == "The user asks."
    ask(page, "two")
    assert "The user asks" not in json.dumps(scripted.requests[-1])


def test_a_broken_answer_stays_on_the_page(page: AppTest, scripted: ScriptedModel) -> None:
    ask(page, "ten words")
    assert WORDS in page.chat_message[1].markdown[0].value
    (error,) = page.chat_message[1].error
    message, _, remedy = error.value.partition("\n\n")
    assert message.startswith("**") and remedy
    assert "failed" in page.chat_message[1].caption[0].value
    ask(page, "two")
    assert WORDS in page.chat_message[3].markdown[0].value
    assert WORDS in scripted.requests[-1]["messages"][1]["content"]


def test_a_refusal_does_not_show_the_key(
    open_page: Page, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = models.catalog(tmp_path, "refuses", "steady", api_key="a-very-secret-key")
    monkeypatch.setenv("SPACEPORT_CATALOG", str(catalog))
    page = ask(open_page("playground"), "one")
    assert "refused the key" in page.chat_message[1].error[0].value
    ask(page, "two")
    assert "a-very-secret-key" not in texts(page) + page.session_state.turns[0].reply.error.message
    # A question without an answer isn't sent again.
    assert [message["content"] for message in models.requests["refuses"][-1]["messages"]] == ["two"]


def test_markdown_of_a_model_loads_nothing(page: AppTest) -> None:
    ask(page, "picture")
    text = page.chat_message[1].markdown[0].value
    assert f"!{ZERO_WIDTH_SPACE}[x]" in text
    assert f"<{ZERO_WIDTH_SPACE}img" in text


def test_unavailable_targets_are_listed_with_the_reason(page: AppTest) -> None:
    assert page.selectbox(key="target").options == ["scripted"]
    assert "A server" in texts(page) and "NOT_SET_ANYWHERE is not set" in texts(page)
    assert "Models checked just now." in texts(page)


@pytest.mark.parametrize(
    ("catalog", "message"),
    [('[x]\nkind = "openai"\nurl = "${NOT_SET_ANYWHERE}"', "No model is available"), ("[", "TOML")],
)
def test_a_catalogue_without_a_usable_target(
    open_page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalog: str, message: str
) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(catalog)
    monkeypatch.setenv("SPACEPORT_CATALOG", str(path))
    page = open_page("playground")
    assert not page.exception
    assert message in texts(page)
    assert not [box for box in page.chat_input if not box.proto.disabled]


def test_clear_and_export(page: AppTest) -> None:
    ask(page, "think")
    (turn,) = json.loads(export(page.session_state.turns))["turns"]
    assert turn["question"] == "think"
    assert turn["answer"].strip() == WORDS
    assert turn["thoughts"].strip() == "The user asks."
    assert turn["state"] == "done"
    assert turn["first_token_seconds"] > 0
    page.button(key="clear").click().run()
    assert not page.chat_message
    assert page.session_state.turns == []


def test_two_tabs_of_one_visitor_share_no_conversation(page: AppTest, open_page: Page) -> None:
    other = open_page("playground")
    ask(page, "one")
    ask(other, "two")
    assert [turn.question for turn in page.session_state.turns] == ["one"]
    assert [turn.question for turn in other.session_state.turns] == ["two"]


def test_the_whole_app_starts_on_the_playground(fresh: None) -> None:
    page = AppTest.from_file(DASHBOARD / "dashboard.py", default_timeout=60).run()
    assert not page.exception
    assert page.selectbox(key="target").value == "laptop"
