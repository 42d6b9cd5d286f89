"""What the terms of measurements mean, in plain words: for the page, the reports and the dashboard.

`TERMS` is the only place with these words. A label such as "TTFT p95" contains terms; `find_terms` returns them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

TERMS: dict[str, str] = {
    "TTFT": "Time to first token: how long you wait from sending a question until the first word appears.",
    "ITL": "Inter-token latency: the pause between two pieces of text while an answer is written.",
    "TPOT": "Time per output token: the time after the first token, divided by the tokens that came in it.",
    "E2E": "End to end: how long you wait from sending a question until the answer is complete.",
    "p50": "The median: half of the values are below it.",
    "p90": "The value that 90% stay below.",
    "p95": "The value that 95% stay below: the slow end of what users see.",
    "p99": "The value that 99% stay below: only 1 in 100 is slower.",
    "goodput": "The share of requests that were answered within all of the limits below the table.",
    "tokens": "Pieces of text that a model reads and writes, each about three quarters of an English word.",
    "tokens/s": "Tokens per second. A token is a piece of text, about three quarters of an English word.",
    "requests/s": "Answers that were completed per second.",
    "concurrency": "How many requests are in flight at the same time.",
    "open loop": "Requests are sent on a schedule, whether or not earlier ones were answered, as real users do.",
    "closed loop": "The next request is sent when one is answered, so a slow target gets fewer requests.",
    "cold": "The very first request, to a model that may still have to be loaded.",
    "model load": "How long it took to load a model that runs on this machine. It's over before the race begins.",
    "lag": "How late the measuring program noticed an event because it was busy itself.",
    "input tokens": "Tokens of the prompt, as the server counts them; the mean over the requests.",
    "cached": "The share of the input tokens that the server says it remembered and did not read again.",
    "break-even": "The load from which a machine by the hour is cheaper than paying per token.",
    "utilization": "The share of its capacity that a rented machine works; it costs the same when it is idle.",
    "interval": "The range that contains the true ratio. All ranges of a run hold together with 95% certainty.",
    "speed": "How fast the words of one answer come after the first one.",
    "cost": "What the measured answers cost at the price of the machine or of the tokens.",
    "failed": "Requests that ended with an error or without any text.",
    "right": "Answers that have a known right answer, or that refuse what the documents don't answer.",
    "supported": "The share of an answer's sentences that are supported by the passages the target was given.",
    "wrongly refused": "Questions that have an answer, and that the target refused to answer.",
    "well formed": "Answers that are valid by the schema that was asked for.",
    "queue": "Requests that wait because the server is busy with others.",
    "queue wait": "How long a request waits in the queue before the model begins with it.",
    "KV cache": "The memory in which a server keeps what it has read. When it's full, requests wait.",
    "prefix cache": "Beginnings of prompts that are not read again. The hit rate is their share of all tokens.",
    "preemptions": "Requests that a server interrupted because its KV cache was full; it starts them again later.",
    "GPU": "The processor that runs the model. Near 100% means that it has no room for more work.",
    "GPU memory": "How much of the GPU's memory is in use. Most servers reserve nearly all of it when they start.",
    "GPU power": "The electrical power that the GPU draws.",
}
_OTHER_NAMES = {
    "first token": "TTFT",
    "time to first token": "TTFT",
    "inter-token latency": "ITL",
    "time per output token": "TPOT",
    "end to end": "E2E",
    "throughput": "tokens/s",
    "requests per second": "requests/s",
}
_NAMES = {name.lower(): name for name in TERMS} | _OTHER_NAMES
_PATTERN = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(_NAMES, key=len, reverse=True)))})(?!\w)", re.I)


def find_terms(texts: Iterable[str]) -> list[str]:
    """Return the terms that labels contain, each once, in the order of their appearance."""
    return list(dict.fromkeys(_NAMES[match[0].lower()] for text in texts for match in _PATTERN.finditer(text)))


def explanation(label: str) -> str:
    """Return what the terms of a label mean; "" if it has none."""
    return " ".join(TERMS[term] for term in find_terms([label]))


def term_html(label: str, key: str) -> str:
    """Return a label as a button that explains it; `key` makes its id unique on the page. A plain label stays text.

    The explanation is a popover: it opens by mouse, finger and keyboard, closes with Escape, and no table cuts it off.
    """
    return term_button(label, key) + term_tip(label, key)


def term_button(label: str, key: str, *, in_cell: bool = False) -> str:
    """Return the button of `term_html`, whose tip is elsewhere on the page; a plain label stays text.

    In a cell of a table, which there are many of, it has no title besides, and is hidden while the table has headers.
    """
    text = explanation(label)
    if not text:
        return escape(label)
    more = 'class="sp-term sp-label"' if in_cell else f'class="sp-term" title="{escape(text)}"'
    return f'<button type="button" {more} popovertarget="sp-tip-{escape(key)}">{escape(label)}</button>'


def term_tip(label: str, key: str) -> str:
    """Return the popover of `term_html`; "" for a plain label."""
    text = explanation(label)
    return f'<span class="sp-tip" id="sp-tip-{escape(key)}" popover>{escape(text)}</span>' if text else ""


def glossary_html(texts: Iterable[str]) -> str:
    """Return the terms of the labels with their meaning, as a list."""
    return _list_html((term, TERMS[term]) for term in find_terms(texts))


def labels_html(labels: Iterable[str]) -> str:
    """Return labels with what their terms mean, as a list; a label without a term is left out."""
    return _list_html((label, text) for label in labels if (text := explanation(label)))


def glossary_lines(texts: Iterable[str]) -> list[str]:
    """Return the terms of the labels with their meaning, a line each."""
    return [f"{term}: {TERMS[term]}" for term in find_terms(texts)]


def _list_html(explained: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in explained)
    return f'<dl class="sp-glossary">{items}</dl>' if items else ""
