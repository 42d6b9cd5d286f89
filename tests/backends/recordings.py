"""Recorded responses of real servers, and the events that a client must read from each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from backends import ChatRequest, Message, Usage

REQUEST = ChatRequest([Message("system", "Be brief."), Message("user", "Größe? 🙂")], max_tokens=64, stop=("END",))


@dataclass(frozen=True)
class Recording:
    """The bytes of one response, and its text, thought, usage and finish reason."""

    wire: bytes
    answer: str
    thought: str
    usage: Usage
    finish_reason: str = "stop"


def sse(*events: Any, newline: bytes = b"\n") -> bytes:
    """Server-sent events: objects become JSON, text is sent unchanged."""
    lines = [event if isinstance(event, str) else f"data: {json.dumps(event, ensure_ascii=False)}" for event in events]
    return b"".join(line.encode() + newline + newline for line in lines)


def part(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "finish_reason": finish_reason}]}


def usage(prompt: int, completion: int) -> dict[str, Any]:
    return {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


OPENAI = Recording(
    sse(
        ": keep-alive",
        part(role="assistant", content=""),
        part(reasoning="Hm, 深"),
        part(reasoning_content="く. "),
        part(content=None),
        part(content="<think>né?</think>Größe "),
        ": OPENROUTER PROCESSING",
        part(content="🙂👩‍🔬 a < b"),
        part("stop"),
        usage(21, 9),
        "data: [DONE]",
    ),
    answer="Größe 🙂👩‍🔬 a < b",
    thought="Hm, 深く. né?",
    usage=Usage(21, 9),
)

# Escaped characters that the server cut into surrogates, CRLF, no space after the colon.
ESCAPED = Recording(
    b'data:{"choices":[{"delta":{"content":"<th"}}]}\r\n\r\n'
    b'data:{"choices":[{"delta":{"content":"ink>hm</think>ok \\ud83d"}}]}\r\n\r\n'
    b'data:{"choices":[{"delta":{"content":"\\ude42 !"},"finish_reason":"length"}],\r\n'
    b'data:"usage":{"prompt_tokens":3,"completion_tokens":4}}\r\n\r\n'
    b"data: [DONE]\r\n\r\n",
    answer="ok 🙂 !",
    thought="hm",
    usage=Usage(3, 4),
    finish_reason="length",
)


def item(content: str = "", *, thinking: str | None = None, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content} | ({"thinking": thinking} if thinking else {})
    return {"model": "tiny", "message": message, "done": False} | more


def ndjson(*items: Any) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in items)


OLLAMA = Recording(
    ndjson(
        item(thinking="Hm, 深く. "),
        item("<think>né?</think>Größe "),
        item("🙂👩‍🔬 a < b"),
        item(done=True, done_reason="stop", prompt_eval_count=21, eval_count=9),
    ),
    answer="Größe 🙂👩‍🔬 a < b",
    thought="Hm, 深く. né?",
    usage=Usage(21, 9),
)
OLLAMA_SHOW = {"model_info": {"general.architecture": "llama", "llama.context_length": 8192}}
