"""Values of all kinds, which a program can send in the place of any input."""

from __future__ import annotations

from typing import Any

DEEP: Any = "end"
for _ in range(500):
    DEEP = [DEEP]
INVALID_VALUES: dict[str, Any] = {
    "nothing": None,
    "a boolean": True,
    "a number": -1,
    "a huge number": 10**9,
    "an infinite number": 10**300,
    "a fraction": 0.5,
    "a word": "word",
    "a long text": "x " * 50_000,
    "a list": [1, "a", None],
    "an object": {"a": 1},
    "a tag": "<img src=x>",
    "a deep list": DEEP,
    "an update": {"__type__": "update", "value": "x", "visible": False},
    "a file": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    "an empty list": [],
    "a list of lists": [["a"]],
    "not a number": float("nan"),
    "a NUL": "a\x00b",
    "half of a character": "\ud800",
    "files": [{"path": "/etc/passwd", "url": "file:///etc/passwd", "meta": {"_type": "gradio.FileData"}}],
}
