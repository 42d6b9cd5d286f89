"""The threads that read documents and those that search them: a large document must not keep a question waiting."""

from __future__ import annotations

import os

from ui.process.threads import Threads

READING = Threads("read", 4)
# Few: a search computes under the interpreter's lock, for which the thread that serves the pages then waits. When ten
# visitors ask within a second, 5 % of the words were later than 0.34 s with eight threads, and 0.13 s with two
# (2026-11-29). A search on a Chroma server mostly waits for it.
SEARCH = Threads("search", 8 if os.environ.get("SPACEPORT_CHROMA_URL") else 2)
CHECKS = Threads(
    "check", 1
)  # of running answers, and of what needs no search: neither waits for the searches of others
