"""Baseline chat app: `gr.ChatInterface` with a generator that yields the whole text so far at each token.

    python benchmarks/harness/pages/plain_chat.py CATALOG [MESSAGES]

Benchmarks compare the chat with it: same model, same client, same conversation. MESSAGES are in it from the start (40).
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from backends import Catalog, ChatRequest, Delta, Message

# 40 messages of about 500 characters each.
SENTENCES = ("The ferry leaves from the northern pier at half past nine. " * 9).strip()
HISTORY: list[dict[str, Any]] = [
    {"role": ("user", "assistant")[number % 2], "content": f"{SENTENCES} Number {number}."} for number in range(40)
]
ARGUMENTS = sys.argv[1:] if __name__ == "__main__" else []
CATALOG = Catalog.load(ARGUMENTS[0] if ARGUMENTS else None)
BACKEND = CATALOG.connect(CATALOG.default)


async def answer(message: str, history: list[dict[str, Any]]) -> AsyncIterator[str]:
    """Yield the text so far at each token."""
    text = ""
    messages = [Message(turn["role"], turn["content"][0]["text"]) for turn in history]
    async for event in BACKEND.stream(ChatRequest((*messages, Message("user", message)))):
        if isinstance(event, Delta):
            text += event.text
            yield text


demo = gr.ChatInterface(
    answer,
    chatbot=gr.Chatbot(HISTORY[: int(ARGUMENTS[1])] if ARGUMENTS[1:] else HISTORY),
    concurrency_limit=None,
    analytics_enabled=False,
)

if __name__ == "__main__":
    demo.launch(ssr_mode=False)
