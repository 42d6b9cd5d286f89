"""Finds questions to go on with after an answer, while nobody waits for the processors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice

from backends.stopwatch import now
from chat_page.conversations.conversation import Conversation
from chat_page.documents.follow_ups import COUNT, MOST_CHECKED, FollowUp, follow_ups
from rag.answering.answer import Rag
from rag.answering.options import AnswerOptions
from rag.answering.prompts.rewrite import is_follow_up
from rag.answering.turn import Turn
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from rag.threads import SEARCH
from ui.admission.admission import Admission

SECONDS = 5.0  # after this time no other question is checked
# Each check is a search. With more answers in flight, their searches and their words would come later.
MOST_IN_FLIGHT = 1


class NextQuestions:
    """Checks each question with a search of its own: what the page suggests, it answers with a quote."""

    def __init__(self, admission: Admission, embedder: Embedder) -> None:
        self._admission, self._embedder = admission, embedder
        self._one = asyncio.Semaphore(1)  # the answers of many visitors end at once, and new questions come first

    async def find(self, conversation: Conversation, turn: Turn, libraries: Sequence[Library]) -> tuple[str, ...]:
        """Return up to three questions that go on from an answer; fewer if there isn't the time for them."""
        end, rag = now() + SECONDS, Rag(self._embedder, libraries)
        questions: list[str] = []
        async with self._one:
            if self._is_busy or now() > end:
                return ()
            for each in await SEARCH.run(self._candidates, conversation, turn, libraries):
                has_time = now() < end and not self._is_busy
                if len(questions) == COUNT or not has_time or not conversation.ends_with(turn):
                    break
                if each.is_answered(await SEARCH.run(rag.search, each.question, each.question, AnswerOptions())):
                    questions.append(each.question)
        return tuple(questions)

    @property
    def _is_busy(self) -> bool:
        queue = self._admission.answers.queue
        return bool(queue.waiting) or queue.in_flight > MOST_IN_FLIGHT

    @staticmethod
    def _candidates(conversation: Conversation, turn: Turn, libraries: Sequence[Library]) -> list[FollowUp]:
        documents = {document.id: document for library in libraries for document in library.documents}
        questions = follow_ups(turn, documents, conversation.turns)
        candidates = (each for each in questions if not is_follow_up(each.question))
        return list(islice(candidates, MOST_CHECKED))
