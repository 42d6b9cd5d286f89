"""Sends one request of a run and turns what arrives into a record."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

from backends import Backend, BackendError, ChatRequest, Delta, Stopwatch
from backends.streams import closing
from compare.measure.conversation import Conversation
from compare.measure.plan import Block, RunPlan
from compare.measure.workloads.workload import Step, Workload
from compare.runs.records import Failure, Phase, Record

# No answer is longer, whatever a server sends.
MAX_ANSWER_CHARACTERS = 200_000


class RequestSender:
    """Sends a run's requests; times in records are relative to `origin`, the start of the run."""

    def __init__(self, plan: RunPlan, workload: Workload, backends: dict[str, Backend], nonce: str) -> None:
        self.origin = 0.0
        self._plan = plan
        self._workload = workload
        self._backends = backends
        self._nonce = nonce

    async def send(
        self, block: Block, phase: Phase, number: int, intended: float, conversation: Conversation | None = None
    ) -> Record:
        """Send request `number` of a block and return its record; a failure is part of the record.

        A `conversation` has what was said before, and gets the answer.
        """
        stopwatch, failure, texts = Stopwatch(), None, list[str]()
        step = self._workload.step(number)
        request = self._request(block, phase, number, step, conversation)
        keeps_answer = step.prompt.question or conversation
        try:
            async with asyncio.timeout(self._plan.request_timeout):
                stream = stopwatch.record(self._backends[block.target].stream(request))
                with stopwatch.marking():
                    async with closing(stream):
                        async for event in stream:
                            if keeps_answer and type(event) is Delta and event.kind == "answer":
                                texts.append(event.text)
        except TimeoutError:
            text = f"The answer was not complete after {self._plan.request_timeout:g} s."
            failure = Failure("TimedOut", text, "Use a shorter maximum length or a longer timeout.")
        except BackendError as error:
            failure = Failure(type(error).__name__, error.message, error.remedy)
        except Exception as error:  # One target's bug must not end the run. The exception's text may contain a key.
            text = f"The backend raised {type(error).__name__}."
            failure = Failure("Unexpected", text, "This is a bug in that backend kind.")
        if conversation:
            conversation.add(request.messages, "".join(texts))
        record = self._record(block, phase, step, intended, stopwatch, failure)
        return replace(record, answer=storable("".join(texts))) if step.prompt.question else record

    def _request(
        self, block: Block, phase: Phase, number: int, step: Step, conversation: Conversation | None
    ) -> ChatRequest:
        """Build a request. A later turn of no conversation, as in a warm-up, is sent alone."""
        prefix = step.prompt.prefix
        shared = f"{block.target}/prefix/{prefix.number}" if prefix and prefix.number else ""
        nonce = self._digest(f"{block.target}/{block.load.name}/{phase}/{number - step.turn}")
        return step.prompt.request(
            nonce=nonce,
            max_tokens=self._plan.max_tokens,
            temperature=self._plan.temperature,
            turn=step.turn if conversation else 0,
            history=conversation.messages if conversation else (),
            prefix_nonce=self._digest(shared) if shared else nonce,
        )

    def _record(
        self, block: Block, phase: Phase, step: Step, intended: float, stopwatch: Stopwatch, failure: Failure | None
    ) -> Record:
        # Time before the request is on the wire belongs to the client and the connection, so it lies between
        # `intended` and `sent`.
        started = stopwatch.started_at or intended
        delay = max(0.0, (stopwatch.sent_at or started) - started)
        return Record(
            target=block.target,
            load=block.load.name,
            block=block.number,
            phase=phase,
            prompt=step.place,
            intended=intended - self.origin,
            sent=started + delay - self.origin,
            ended=(stopwatch.total_seconds or 0.0) - delay,
            concurrency=block.load.concurrency,
            arrivals=tuple(arrival._replace(seconds=arrival.seconds - delay) for arrival in stopwatch.arrivals),
            marks=tuple(mark._replace(seconds=mark.seconds - delay) for mark in stopwatch.marks),
            finish_reason=stopwatch.finish_reason,
            usage=stopwatch.usage,
            error=failure,
            conversation=step.conversation if self._workload.has_conversations else None,
            turn=step.turn if self._workload.has_conversations else None,
            prefix=step.prompt.prefix.number if step.prompt.prefix else None,
        )

    def _digest(self, key: str) -> str:
        return hashlib.sha256(f"{self._nonce}/{key}".encode()).hexdigest()[:8]


def storable(answer: str) -> str:
    """Return an answer as it's stored: cut if it's very long, without halves of characters."""
    return answer[:MAX_ANSWER_CHARACTERS].encode(errors="replace").decode()
