"""The source panel: a card for each passage, which opens its place in the document.

A citation in an answer links to `#source-TURN-NUMBER` (see `chat_page.render.linked`). The script of the page finds the
card of that id and presses its button; the button asks for the preview, which is put into the card.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from chat_page.memory import Sources
from chat_page.render import shortened
from chat_page.strings import ENGLISH, counted
from rag.answering.answer import Citation
from rag.documents import Passage

HOW = {True: ENGLISH.by_us, False: ENGLISH.by_model}
# What a card shows of a cited passage before and after the marked part.
AROUND_CHARACTERS = 160
_KEY = re.compile(r"(\d{1,6})-(\d{1,3})")

# For the panel's own HTML component. Its `select` event carries `source` ("TURN-NUMBER") and `claim` (from 0).
PANEL_JS = """
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const slotOf = (button) => element.querySelector("#" + button.getAttribute("aria-controls"));
const show = (button, open) => {
  button.setAttribute("aria-expanded", open);
  button.closest(".sp-card").classList.toggle("sp-open", open);
  slotOf(button).hidden = !open;
};
const ask = (button) => trigger("select", {source: button.dataset.open, claim: Number(button.dataset.asked)});
const fill = () => {
  const view = document.querySelector("#preview [data-preview]");
  const button = view && element.querySelector(`[data-open="${view.dataset.preview}"]`);
  const slot = button && slotOf(button);
  if (!slot?.hasAttribute("aria-busy") || button.dataset.asked !== view.dataset.claim) return;
  slot.innerHTML = view.innerHTML;
  slot.removeAttribute("aria-busy");
  slot.dataset.claim = view.dataset.claim;
  const box = slot.querySelector(".sp-text, .sp-page, .sp-rows");
  const spot = slot.querySelector(".sp-spot, mark");
  if (box && spot) {
    const from = box.getBoundingClientRect(), to = spot.getBoundingClientRect();
    box.scrollTop += to.top - from.top - box.clientHeight / 4;
    box.scrollLeft += to.left - from.left - box.clientWidth / 8;
  }
  slot.firstElementChild?.focus({preventScroll: true});
  slot.closest(".sp-card").scrollIntoView({block: "nearest", behavior: calm.matches ? "auto" : "smooth"});
  // Of two previews that come at the same moment the page only ever holds the second.
  const waiting = element.querySelector(".sp-slot[aria-busy]");
  if (waiting) ask(element.querySelector(`[aria-controls="${waiting.id}"]`));
};
document.addEventListener("sp-preview", fill);
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-open]");
  if (!button) return;
  const claim = button.dataset.claim || "0";
  delete button.dataset.claim;
  const open = button.getAttribute("aria-expanded") === "true";
  const slot = slotOf(button);
  // A press closes; a citation of another sentence moves the mark.
  if (open && event.isTrusted) return show(button, false);
  show(button, true);
  if (slot.dataset.claim === claim) return;
  button.dataset.asked = claim;
  slot.setAttribute("aria-busy", "true");
  if (document.querySelector(`#preview [data-preview="${button.dataset.open}"][data-claim="${claim}"]`)) return fill();
  if (!slot.firstChild) slot.textContent = OPENING;
  ask(button);
});
element.addEventListener("keydown", (event) => {
  const card = event.key === "Escape" && event.target.closest(".sp-card.sp-open");
  if (!card) return;
  const button = card.querySelector("[data-open]");
  show(button, false);
  button.focus();
});
""".replace("OPENING", json.dumps(f"{ENGLISH.opening} …"))
# For the hidden HTML component with elem_id "preview", whose value is what `opened_html` gives.
PREVIEW_JS = 'watch("value", () => document.dispatchEvent(new Event("sp-preview")));'


@dataclass(frozen=True, slots=True)
class Opened:
    """What a visitor wants to see: a passage of an answer, and the part of its text to mark."""

    turn: int
    passage: Passage
    mark: tuple[int, int]
    claim: int


def find(answers: Iterable[Sources], source: str, claim: int) -> Opened | None:
    """The passage that a `select` event names, or None where it names none; nothing of the event is believed."""
    key = _KEY.fullmatch(source)
    if not key:
        return None
    turn, number = int(key[1]), int(key[2])
    for sources in answers:
        for passage in sources.passages if sources.turn == turn else ():
            if passage.number == number:
                spans = next((cited.spans for cited in sources.citations if cited.passage.number == number), ())
                mark = spans[claim] if 0 <= claim < len(spans) else (0, len(passage.text))
                return Opened(turn, passage, mark, claim)
    return None


def opened_html(opened: Opened, preview: str) -> str:
    """The value of the hidden component: the preview, and whose it is."""
    return f'<div data-preview="{opened.turn}-{opened.passage.number}" data-claim="{opened.claim}">{preview}</div>'


def sources_html(answers: Iterable[Sources]) -> str:
    """The source panel, the newest answer first: what was cited, then, folded, what else was retrieved."""
    turns = sorted((sources for sources in answers if sources.passages), key=lambda sources: -sources.turn)
    if not turns:
        return f'<p class="sp-empty">{ENGLISH.no_sources}</p>'
    newest, *older = turns
    earlier = "".join(
        f'<details class="sp-turn"><summary>{escape(shortened(sources.question, 80))}</summary>'
        f"{_turn(sources)}</details>"
        for sources in older
    )
    return f'<div class="sp-sources">{_turn(newest)}{earlier}</div>'


def _turn(sources: Sources) -> str:
    cited = {citation.passage.number: citation for citation in sources.citations}
    first = [passage for passage in sources.passages if passage.number in cited]
    rest = [passage for passage in sources.passages if passage.number not in cited]
    cards = "".join(_card(sources.turn, passage, cited[passage.number]) for passage in first)
    removed = f'<p class="sp-note">{_removed(sources.removed)}</p>' if sources.removed else ""
    if not rest:
        return cards + removed
    folded = "".join(_card(sources.turn, passage, None) for passage in rest)
    summary = (ENGLISH.also_retrieved if first else ENGLISH.retrieved).format(passages=len(rest))
    return f'{cards}{removed}<details class="sp-more"><summary>{summary}</summary>{folded}</details>'


def _card(turn: int, passage: Passage, citation: Citation | None) -> str:
    """One passage: its number, document and place as the button that opens it, its text, how it came here."""
    key = f"{turn}-{passage.number}"
    place = ENGLISH.page_number.format(page=passage.page) if passage.page else passage.heading
    named = f'<bdi class="sp-name">{escape(passage.document)}</bdi><bdi class="sp-place">{escape(place)}</bdi>'
    how = f'<span class="sp-how">{HOW[citation.attributed]}</span> · ' if citation else ""
    kind = {None: "", True: " sp-matched", False: " sp-model"}[citation.attributed if citation else None]
    return (
        f'<article class="sp-card{kind}" id="source-{key}" tabindex="-1">{_anchors(key, citation)}'
        f'<button type="button" class="sp-opener" data-open="{key}" aria-expanded="false"'
        f' aria-controls="preview-{key}" title="{ENGLISH.open_source}"><b class="sp-number">{passage.number}</b>'
        f'{named}</button><blockquote dir="auto">{_excerpt(passage, citation)}</blockquote>'
        f'<div class="sp-slot" id="preview-{key}" hidden></div>'
        f"<footer>{how}{_scores(passage)}</footer></article>"
    )


def _anchors(key: str, citation: Citation | None) -> str:
    """The other places that links of an answer lead to: without our script they still find the card."""
    names = [f"source-{key}a"]
    for index in range(1, len(citation.spans) if citation else 0):
        names += [f"source-{key}-{index}", f"source-{key}-{index}a"]
    return "".join(f'<span id="{name}"></span>' for name in names)


def _excerpt(passage: Passage, citation: Citation | None) -> str:
    """The passage's text; of one that is cited what supports the answer in <mark>, with some lines around it."""
    text = passage.text
    spans = sorted(set(citation.spans)) if citation else []
    low, high = len(text) - len(text.lstrip()), len(text.rstrip())
    begin, end = _near(text, low, high, spans) if spans else (low, high)
    parts, at = ["… " if begin > low else ""], begin
    for start, stop in spans:
        start = max(start, at)
        if start < stop:
            parts += [escape(text[at:start]), f"<mark>{escape(text[start:stop])}</mark>"]
            at = stop
    return "".join([*parts, escape(text[at : max(at, end)]), " …" if end < high else ""])


def _near(text: str, low: int, high: int, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """From AROUND_CHARACTERS before the first span to as many after the last, cut between words."""
    begin, end = spans[0][0] - AROUND_CHARACTERS, max(stop for _, stop in spans) + AROUND_CHARACTERS
    begin = low if begin <= low else begin + len(text[begin : spans[0][0]].partition(" ")[0]) + 1
    cut = text.rfind(" ", end - AROUND_CHARACTERS, end)
    return min(begin, spans[0][0]), high if end >= high else cut if cut >= 0 else end


def _scores(passage: Passage) -> str:
    dense = "–" if passage.dense is None else f"{passage.dense:.2f}"
    lexical = "–" if passage.lexical is None else f"{passage.lexical:.1f}"
    return ENGLISH.scores.format(score=passage.score, meaning=dense, words=lexical)


def _removed(count: int) -> str:
    return counted(ENGLISH.removed_one, ENGLISH.removed, count=count)
