"""What the version before this one wrote: a share link and a stored conversation."""

from __future__ import annotations

from typing import Any

# Two questions: "How much?", whose answer cites page 3 of report.pdf, and "And <img src=x>?".
LINK_FRAGMENT = (
    "jY7BDoIwDIZfpenVoWxGIgtivOndGyFxgiiJjDmGmhiewqtP55PYoNxNmqZ___ZrH3hFyRm61uoGZfLAC0pc1zeo2uy0RIaK9MbBTTUQ7eO5YO"
    "EsjCb7GBKeQqlhp6jYjeH9etJ01jN0z8xp0x5Mbd3Y5AWZBuW0SxlWZJyVcbWhpiMhfBF4nHuCb3kgfZ9i1Gfs2Pejlc4hKqsjNDZb3OPhsbU6"
    "F7-r_3FnAzftPg"
)
_PASSAGE = {
    "number": 1, "document_id": "0123456789abcdef", "document": "report.pdf", "page": 3, "heading": "Sales",
    "start": 10, "end": 31, "text": "Net sales were 82,959", "score": 0.5, "dense": 0.4, "lexical": None,
}  # fmt: skip
CONVERSATION: dict[str, Any] = {
    "history": [
        {"role": "user", "content": "How much?"},
        {
            "role": "assistant",
            "content": "Let me look.",
            "metadata": {"title": "Thoughts", "status": "done"},
        },
        {
            "role": "assistant",
            "content": "It was <\u200bb>82,959<\u200b/b> [1](#source-1-1) in `a[1]`. \u2713",
        },
        {"role": "user", "content": "And <\u200bimg src=x>?"},
        {"role": "assistant", "content": "Half"},
        {"role": "assistant", "content": "> **It broke.**\n>\n> Ask again.", "metadata": {"id": "aside"}},
    ],
    "sources": [
        {
            "turn": 1,
            "question": "How much?",
            "passages": [_PASSAGE],
            "citations": [{"passage": _PASSAGE, "attributed": False, "spans": [[15, 21]]}],
            "removed": 0,
        }
    ],
    "answered": [[1, "laptop", "2026-11-21T16:00:00+00:00"], [2, "laptop", "2026-11-21T16:00:05+00:00"]],
}
