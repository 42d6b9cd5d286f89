"""The formats of chat by the name of their dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from backends.chat.requests import read_stream_flags
from backends.chat.writer import ChatWriter
from backends.stopwatch import wall_clock
from inference.formats import messages_request, responses_request
from inference.formats.chat import ChatAnswer
from inference.formats.messages_writer import MessagesWriter
from inference.formats.responses_writer import ResponsesWriter
from inference.formats.writer import AnswerWriter


@dataclass(frozen=True, slots=True)
class Format:
    """How a body becomes a chat completion, and who writes the answer to it.

    `make_writer` gets the body as the client sent it, the chat completion, the request's ID and the model's name.
    `translate_errors` names the format in errors about the chat completion.
    """

    to_chat_completion: Callable[[Any], dict[str, Any]] | None  # None: SageMaker's and Vertex AI's have several
    make_writer: Callable[[Any, Mapping[str, Any], str, str], AnswerWriter]
    translate_errors: Callable[[], AbstractContextManager[None]] = nullcontext


def _chat_writer(_body: Any, completion: Mapping[str, Any], request_id: str, model: str) -> AnswerWriter:
    writer = ChatWriter(answer_id=f"chatcmpl-{request_id}", model=model, created=int(wall_clock()))
    return ChatAnswer(writer, usage=read_stream_flags(completion)[1])


def _responses_writer(body: Any, _completion: Mapping[str, Any], request_id: str, model: str) -> AnswerWriter:
    return ResponsesWriter(body, request_id=request_id, model=model, created=int(wall_clock()))


def _messages_writer(_body: Any, _completion: Mapping[str, Any], request_id: str, model: str) -> AnswerWriter:
    return MessagesWriter(request_id=request_id, model=model)


CHAT = Format(None, _chat_writer)
FORMATS: Mapping[str, Format] = {
    "openai": CHAT,
    "sagemaker": CHAT,
    "vertex": CHAT,
    "responses": Format(responses_request.to_chat_completion, _responses_writer, responses_request.translate_errors),
    "messages": Format(messages_request.to_chat_completion, _messages_writer, messages_request.translate_errors),
}
