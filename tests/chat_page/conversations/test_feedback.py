"""Thumbs are kept with the visitor's data; only a dataset that the operator names gets them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from backends import SpaceportError
from chat_page.conversations import feedback_queue
from chat_page.conversations.feedback import Rating, SharedFeedback, feedback_line
from chat_page.conversations.feedback_queue import FeedbackQueue
from chat_page.rendering.documents import feedback_note
from chat_page.strings import ENGLISH
from rag.answering.turn import Turn
from rag.errors import DocumentError
from rag.library.storage.store import MAX_FEEDBACK_BYTES, Store
from tests.helpers.redis_server import serving_redis
from tests.helpers.servers import serving
from tests.publish.fake_hub import TOKEN, Hub
from ui.admission.page_redis import PageRedis

TURN = Turn("Where do terns nest?", "In the dunes.", finish_reason="stop", target="laptop", id="a1")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as server:
        yield server


@pytest.mark.parametrize(
    ("liked", "rating"),
    [
        (True, Rating("like")), (False, Rating("dislike")), ("Like", Rating("like")), ("Dislike", Rating("dislike")),
        (ENGLISH.reason_wrong, Rating("dislike", ENGLISH.reason_wrong)),
        ("<img src=x>", Rating("")), (None, Rating("")), ([], Rating("")),
    ],
)  # fmt: skip
def test_a_rating_is_one_that_the_page_offers(liked: object, rating: Rating) -> None:
    assert Rating.from_event(liked) == rating


def test_feedback_is_kept_with_the_visitors_data_and_deleted_with_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "visitor")
    for rating in (Rating("like"), Rating("dislike", ENGLISH.reason_incomplete)):
        store.add_feedback(feedback_line(TURN, rating, "2026-11-28T17:00:00+00:00"))
    lines = [json.loads(line) for line in (store.folder / "feedback.jsonl").read_text().splitlines()]
    assert [(each["rating"], each["reason"]) for each in lines] == [
        ("like", ""),
        ("dislike", ENGLISH.reason_incomplete),
    ]
    assert {each["question"] for each in lines} == {TURN.question}
    assert (store.folder / "feedback.jsonl").stat().st_mode & 0o777 == 0o600
    with pytest.raises(DocumentError, match="no room"):
        store.add_feedback("x" * MAX_FEEDBACK_BYTES)
    store.destroy()
    store.add_feedback("late")
    assert not store.folder.exists()


def test_without_the_operators_setting_nothing_is_shared() -> None:
    assert SharedFeedback.from_environment({}) is None
    assert SharedFeedback.from_environment({"SPACEPORT_FEEDBACK": " "}) is None
    assert feedback_note(None, ENGLISH) == ""


def test_a_dataset_gets_the_lines_and_the_page_says_so(hub: Hub, tmp_path: Path) -> None:
    shared = SharedFeedback("somebody/thumbs", tmp_path / "feedback", HfApi(endpoint=hub.url, token=TOKEN))
    assert hub.requests == []
    assert "somebody/thumbs" in feedback_note(shared, ENGLISH)
    line = feedback_line(TURN, Rating("like"), "2026-11-28T17:00:00+00:00")
    shared.add(line)
    shared.add(line)
    shared.scheduler.trigger().result()
    shared.scheduler.stop()
    dataset = hub.spaces["datasets/somebody/thumbs"]
    assert dataset.private
    (data,) = [content for path, content in dataset.head.files.items() if path.startswith("feedback-")]
    assert data.decode() == f"{line}\n{line}\n"


def test_a_hub_that_does_not_answer_costs_nothing_but_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shared = SharedFeedback("somebody/thumbs", tmp_path / "feedback", HfApi(endpoint="http://127.0.0.1:9", token=TOKEN))
    shared.add("{}")
    assert "could not be shared" in caplog.text
    assert TOKEN not in caplog.text


def test_a_replica_that_sends_for_too_long_removes_no_line_that_nobody_sent(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback_queue, "BATCH_LINES", 2)
    monkeypatch.setattr(feedback_queue, "MAX_WAITING", 3)
    with serving_redis(tmp_path) as server, closing(PageRedis(server.url, "chat", seconds=5)) as page_redis:
        sent: list[int] = []

        class SlowApi(HfApi):
            def upload_file(self, **values: Any) -> Any:
                result = super().upload_file(**values)
                if not sent:
                    server.client.delete("{spaceport:feedback}:by")  # its time is over
                    sent.append(other.send())
                    other.add("new")
                return result

        slow, other = (
            FeedbackQueue(page_redis, "somebody/thumbs", api(endpoint=hub.url, token=TOKEN)) for api in (SlowApi, HfApi)
        )
        assert [slow.add(line) for line in "abcd"] == [True, True, True, False]
        assert slow.send() == 0
        assert sent == [3]
        assert server.client.lrange("{spaceport:feedback}:lines", 0, -1) == [b"new"]
        assert other.send() == 1
        files = hub.spaces["datasets/somebody/thumbs"].head.files
        lines = [content.decode() for path, content in files.items() if path.startswith("feedback-")]
        assert sorted(lines) == ["a\nb\n", "c\n", "new\n"]
        slow.close()
        other.close()


def test_the_lines_of_two_replicas_wait_in_redis_until_one_has_sent_them(hub: Hub, tmp_path: Path) -> None:
    api = HfApi(endpoint=hub.url, token=TOKEN)
    with (
        serving_redis(tmp_path) as server,
        closing(PageRedis(server.url, "chat", seconds=5)) as one,
        closing(PageRedis(server.url, "chat", seconds=5)) as other,
    ):
        first, second = (
            SharedFeedback("somebody/thumbs", tmp_path / f"feedback {number}", api, page_redis=page_redis)
            for number, page_redis in enumerate((one, other))
        )
        assert first.queue and second.queue
        first.add('{"rating": "like"}')
        second.add('{"rating": "dislike"}')
        first.queue.close()  # it's gone
        hub.fail("commit", 500, 9)
        with pytest.raises(HfHubHTTPError):
            second.queue.send()
        hub.faults.clear()
        second.add('{"rating": ""}')
        assert [second.queue.send(), second.queue.send()] == [3, 0]
        files = hub.spaces["datasets/somebody/thumbs"].head.files
        data = sorted(content.decode() for path, content in files.items() if path.startswith("feedback-"))
        assert data == ['{"rating": ""}\n', '{"rating": "like"}\n{"rating": "dislike"}\n']
        server.stop()
        second.add('{"rating": "like"}')
        with pytest.raises(SpaceportError):
            second.queue.send()
        second.scheduler.trigger().result()
        second.scheduler.stop()
        assert len(hub.spaces["datasets/somebody/thumbs"].head.files) > len(files)
        second.queue.close()
