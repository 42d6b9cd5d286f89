"""An estimate of how many tokens a request can take, before any server has counted them."""

from __future__ import annotations

from backends import ChatRequest
from backends.text import to_json

BYTES_PER_TOKEN = 4  # of English text
TOKENS_PER_MESSAGE = 4  # the chat template's tokens around each message
TOKENS_PER_PICTURE = 1000  # about what large pictures cost with the vision models of 2026


def estimate_prompt_tokens(request: ChatRequest) -> int:
    """About how many tokens the messages, tools and schema have; the server's own count replaces it at the end."""
    texts = [message.text for message in request.messages]
    texts += [to_json(tool.parameters) + tool.name + tool.description for tool in request.tools]
    texts += [to_json(dict(call.arguments)) for message in request.messages for call in message.tool_calls]
    if request.schema is not None:
        texts.append(to_json(dict(request.schema)))
    pictures = sum(len(message.pictures) for message in request.messages)
    around = TOKENS_PER_MESSAGE * len(request.messages) + TOKENS_PER_PICTURE * pictures
    return around + sum(map(estimate_text_tokens, texts))


def estimate_text_tokens(text: str) -> int:
    """About how many tokens a text has; at least one, unless it is empty."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)
