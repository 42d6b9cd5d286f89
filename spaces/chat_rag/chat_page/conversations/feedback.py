"""Thumbs: kept with the visitor's data, and shared with the operator only if SPACEPORT_FEEDBACK names a dataset."""

from __future__ import annotations

import json
import logging
import os
import secrets
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from chat_page.conversations.feedback_queue import FeedbackQueue
from chat_page.rendering.answer_text import answer_text
from chat_page.strings import ENGLISH, Strings
from chat_page.translations.languages import LANGUAGES, strings
from rag.answering.turn import Turn
from rag.library.storage import disk
from ui.admission.page_redis import PageRedis

logger = logging.getLogger(__name__)
SHARE_MINUTES = 5
# Gradio draws the first two as thumbs, and the reasons under a flag.
RATINGS = {"Like": "like", "Dislike": "dislike"}


def reasons(words: Strings) -> tuple[str, ...]:
    """Return the reasons that a visitor can choose."""
    return words.reason_wrong, words.reason_incomplete, words.reason_source, words.reason_other


# By their texts in all languages: what is stored is in English.
REASONS = dict(pair for words in LANGUAGES.values() for pair in zip(reasons(words), reasons(ENGLISH), strict=True))


@dataclass(frozen=True, slots=True)
class Rating:
    """What a visitor thinks of an answer: "like", "dislike", or "" if the thumb was taken back; and why."""

    rating: str
    reason: str = ""

    @classmethod
    def from_event(cls, liked: object) -> Rating:
        """Return the rating of Gradio's event, which has True, False or the text of an option."""
        if isinstance(liked, bool):
            return cls("like" if liked else "dislike")
        if isinstance(liked, str) and liked in RATINGS:
            return cls(RATINGS[liked])
        return cls("dislike", REASONS[liked]) if isinstance(liked, str) and liked in REASONS else cls("")


def rating_option(turn: Turn) -> str | None:
    """Return the option that shows a turn's rating on the page: a thumb, or the reason in its language."""
    words = strings()
    by_reason = dict(zip(reasons(ENGLISH), reasons(words), strict=True))
    options = {rating: option for option, rating in RATINGS.items()}
    return by_reason.get(turn.reason) or options.get(turn.rating)


def feedback_line(turn: Turn, rating: Rating, time: str) -> str:
    """Return the line of JSON that is stored."""
    value = {
        "time": time,
        "turn": turn.id,
        "rating": rating.rating,
        "reason": rating.reason,
        "question": turn.question,
        "answer": answer_text(turn, ENGLISH),
        "quotes": [quote.text for quote in turn.quotes],
        "unsure": turn.unsure,
        "target": turn.target,
    }
    return json.dumps(value, ensure_ascii=False)


class SharedFeedback:
    """Sends lines to a dataset on the Hub every few minutes; `api` is a `huggingface_hub.HfApi`, None for the Hub.

    Nothing is sent before the first line. What can't be sent is logged, and sent with the next lines. With
    `page_redis`, lines wait there; while it's away or has too many, each replica sends its own.
    """

    def __init__(self, dataset: str, folder: Path, api: Any = None, *, page_redis: PageRedis | None = None) -> None:
        self.dataset = dataset
        self.queue = FeedbackQueue(page_redis, dataset, api or _hub()) if page_redis else None
        self._folder = folder
        self._api = api
        self._file = folder / f"feedback-{secrets.token_hex(8)}.jsonl"  # no process adds to the file of another
        self._lock = threading.Lock()

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, *, page_redis: PageRedis | None = None
    ) -> SharedFeedback | None:
        """Return the dataset that SPACEPORT_FEEDBACK names, or None."""
        dataset = (os.environ if environment is None else environment).get("SPACEPORT_FEEDBACK", "").strip()
        if not dataset:
            return None
        data = disk.data_folder(environment)
        return cls(dataset, (data.parent if data else Path(tempfile.mkdtemp())) / "feedback", page_redis=page_redis)

    def add(self, line: str) -> None:
        """Send a line with the next ones."""
        if self.queue and self.queue.add(line):
            return
        try:
            with self._lock, self.scheduler.lock:
                disk.append_line(self._file, line)
        except Exception as error:  # the Hub's client raises its own errors, and those of HTTP and of the disk
            logger.warning("Feedback could not be shared (%s).", type(error).__name__)

    @cached_property
    def scheduler(self) -> Any:
        """The Hub's scheduler; creating it creates the dataset, as a private one, if there is none."""
        from huggingface_hub import CommitScheduler

        disk.make_folder(self._folder)
        return CommitScheduler(
            repo_id=self.dataset,
            repo_type="dataset",
            folder_path=self._folder,
            every=SHARE_MINUTES,
            private=True,
            hf_api=self._api,
        )


def _hub() -> Any:
    from huggingface_hub import HfApi

    return HfApi()
