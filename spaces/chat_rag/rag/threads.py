"""The threads that read documents and those that search them: a large document must not keep a question waiting."""

from __future__ import annotations

from ui.threads import Threads

READING = Threads("read", 4)
SEARCH = Threads("search", 8)
