"""The threads that read documents and those that search them: a large document must not keep a question waiting."""

from __future__ import annotations

from ui.threads import Threads

READING = Threads("read", 4)
# Few: a search computes under the interpreter's lock, for which the thread that serves the pages waits behind each other
# one. When ten ask within a second, the words of their answers were up to 0.7 s late with 8 threads, 0.25 s with 2, and
# no quote came later. (2026-11-29)
SEARCH = Threads("search", 2)
