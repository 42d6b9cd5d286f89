"""Markdown of the chat: answers with linked citations, errors, and untrusted text."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from chat_page.rendering.formulas import mark_formulas
from chat_page.translations.languages import strings
from rag.answering.citations.markers import Marker, anchors, split_at_markers
from rag.answering.types import Sentence
from ui.markdown import ZERO_WIDTH_SPACE, safe_markdown, split_code, with_safe_fences

# The first character of anything that loads, links or draws. A zero-width space after it disables the meaning and
# keeps the look, in code as well: renderers don't agree on what is code, and an attacker can use the difference.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)|\](?=[(\[:])|%(?=%%LATEX)|\$(?=\$)|\\(?=[(\[])", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Characters by number, and by the names of those that can spell an address: # and %, and what a browser drops in one.
_SPELLED = re.compile(r"&(?=#\w|num;|percnt;|Tab;|NewLine;)")
# The end of an address, which names a place on a page.
_FRAGMENT = re.compile(r"#(?=(\S{1,80}))")


def linked_answer(
    answer: str,
    markers: Sequence[Marker],
    turn: int,
    quoted: Mapping[int, int] | None = None,
    unsupported: Sequence[Sentence] = (),
) -> str:
    """Return an answer as safe Markdown in which each marker outside of code links to its source.

    `quoted` counts the quotes of each passage, whose places in the source panel come first. Sentences in `unsupported`
    are underlined.
    No other link of the text leads to the source panel. What is code here can be a link for a renderer, so links are
    disabled in code as well.
    """
    text, starts = "", []
    for piece, marker in split_at_markers(answer, markers):
        text += safe_markdown(piece)
        if marker:
            starts.append(len(text))
            text += marker.text
    links = deque(zip(starts, anchors(markers, turn, quoted), strict=False))  # a marker's text can still be missing
    underlined = _spans_in(text, answer, unsupported)
    parts: list[str] = []
    offset = 0
    for part, is_code in split_code(text):
        end = offset + len(part)
        spans = [] if is_code else underlined
        while links and links[0][0] < end:
            start, (marker, anchor) = links.popleft()
            link = marker.text if is_code else _link(text[start - 1 : start], marker, anchor)
            parts += [_underline(text, offset, start, spans), link]
            offset = start + len(marker.text)
        parts.append(_underline(text, offset, end, spans))
        offset = end
    return mark_formulas("".join(parts))


def disarm_markdown(text: str) -> str:
    """Return untrusted text without any tag, image, link, diagram, formula or control character."""
    return _ACTIVE.sub(f"\\g<0>{ZERO_WIDTH_SPACE}", with_safe_fences(_CONTROL.sub("", text)))


def error_markdown(message: str, remedy: str) -> str:
    """Return an error as a block quote."""
    lines = [f"**{safe_markdown(one_line(message))}**", safe_markdown(one_line(remedy))]
    return "\n>\n".join(f"> {line}" for line in lines if line.strip("*"))


def shorten(text: str, characters: int = 160) -> str:
    """Return the text in one line, cut to `characters`."""
    text = one_line(text)
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def one_line(text: str) -> str:
    """Return the text with single spaces and no line breaks."""
    return " ".join(text.split())


def _spans_in(text: str, answer: str, sentences: Sequence[Sentence]) -> list[tuple[int, int]]:
    """Return where sentences of an answer are in `text`, the answer with zero-width spaces added."""
    if text == answer or not sentences:
        return [(each.start, each.end) for each in sentences if each.end <= len(answer)]
    positions, at = [], 0
    for character in answer:
        while at < len(text) and text[at] != character:
            at += 1
        positions.append(at)
        at += 1
    positions.append(len(text))
    return [(positions[each.start], positions[each.end]) for each in sentences if each.end <= len(answer)]


def _underline(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> str:
    """Return a part of the text with what the documents don't support underlined, and no link to the source panel."""
    parts, title = [], strings().unsupported if spans else ""
    for left, right in ((max(left, start), min(right, end)) for left, right in spans):
        if left < right:
            sentence = _without_own_links(text[left:right])
            underlined = f'<span class="sp-unsupported" title="{title}">{sentence}</span>'
            parts += [_without_own_links(text[start:left]), underlined]
            start = right
    return "".join([*parts, _without_own_links(text[start:end])])


def _link(before: str, marker: Marker, anchor: str) -> str:
    # “Great![1]” must not become an image.
    separator = ZERO_WIDTH_SPACE if before.endswith("!") else ""
    return f"{separator}{marker.text}(#{anchor})"


def _without_own_links(text: str) -> str:
    """Disable links to the source panel, however the model spells them."""
    if "#" not in text and "&" not in text:  # as in most sentences: two searches of each, for each update
        return text
    return _FRAGMENT.sub(_disabled_if_own, _SPELLED.sub(f"&{ZERO_WIDTH_SPACE}", text))


def _disabled_if_own(fragment: re.Match[str]) -> str:
    # Markdown drops backslashes, and a browser decodes percent signs.
    target = unquote(fragment[1].replace("\\", ""))
    return f"#{ZERO_WIDTH_SPACE}" if target.startswith("source-") else "#"
