"""A card per target with the figures that matter: right answers, first token, speed, cost and failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from compare.analyse.metrics.metrics import Metrics
from compare.analyse.quality.quality import Measure
from compare.analyse.quality.quality_verdict import QualityFinding
from compare.report.overview import strings
from compare.report.overview.headline import headline, standing
from compare.report.report import Report
from compare.report.tables import cost_span
from compare.report.words.formats import MISSING, milliseconds, rate, usd
from compare.report.words.glossary import term_html

CSS = Path(__file__).with_name("overview.css").read_text(encoding="utf-8")
PACE_METRICS = ("itl", "tpot")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a card; `value` decides the length of its bar, None draws none. A share's bar is full at 1."""

    name: str
    text: str
    detail: str
    value: float | None
    is_best: bool = False
    is_share: bool = False
    best: str = strings.FASTEST


@dataclass(frozen=True, slots=True)
class Card:
    """A target with its figures; `title` is what the catalogue calls it."""

    target: str
    title: str
    colour: str
    figures: tuple[Figure, ...]


def overview_html(report: Report) -> str:
    """Return the headline, the cards, and the caveats behind a line that counts them."""
    load = report.main_load
    others = [each for each in report.run.loads if each != load]
    note = f'<p class="sp-note">{escape(strings.shown_load(load, others))}</p>' if others else ""
    return (
        f'<div class="sp-overview"><p class="sp-headline">{escape(headline(report))}</p>'
        f'<div class="sp-cards">{_cards_html(make_cards(report))}</div>{note}{caveats_html(report.caveats)}</div>'
    )


def caveats_html(texts: Sequence[str]) -> str:
    """Return the caveats as a list behind a line that counts them, or "" without caveats."""
    if not texts:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    summary = escape(strings.notes(len(texts)))
    return f'<details class="sp-more"><summary>{summary}</summary><ul class="sp-caveats">{items}</ul></details>'


def make_cards(report: Report) -> list[Card]:
    """Return a card for each target, with its figures at the load of the headline."""
    load = report.main_load
    pace = next((each.metric for each in report.verdicts if each.load == load and each.metric in PACE_METRICS), "")
    leaders = [standing(report.verdicts, metric, load).leader for metric in ("ttft", pace)]
    cards = []
    for target in report.run.targets:
        metrics = report.cells.get((target, load), report.overall[target])
        figures = (
            *_right(report, target),
            _first_token(metrics, is_best=target == leaders[0]),
            _speed(metrics, is_best=target == leaders[1]),
            _cost(report, target, load),
            _failed(metrics),
        )
        title = str(report.run.header["targets"][target]["title"])
        cards.append(Card(target, "" if title == target else title, report.colours[target], figures))
    return cards


def _right(report: Report, target: str) -> list[Figure]:
    """Return the share of right answers, if there is one."""
    share = report.quality.get(target, {}).get(Measure.RIGHT)
    if share is None:
        return []
    wins = [
        each.better
        for each in report.quality_verdicts
        if each.measure is Measure.RIGHT and each.finding is QualityFinding.BETTER
    ]
    is_best = wins.count(target) == len(report.run.targets) - 1 > 0
    detail = strings.of_questions(share.questions, share.low, share.high)
    return [Figure(strings.RIGHT, f"{share.value:.0%}", detail, share.value, is_best, True, strings.BEST)]


def _first_token(metrics: Metrics, *, is_best: bool) -> Figure:
    p50, p95 = metrics.ttft_ms.p50, metrics.ttft_ms.p95
    detail = strings.slow_requests(milliseconds(p95)) if p95 else ""
    return Figure(strings.FIRST_TOKEN, f"{milliseconds(p50)} ms" if p50 else MISSING, detail, p50, is_best)


def _speed(metrics: Metrics, *, is_best: bool) -> Figure:
    """Return the tokens per second of one answer, as its reader sees them."""
    per_token, whole = metrics.tpot_ms.p50, metrics.e2e_ms.p50
    speed = 1000 / per_token if per_token else None
    detail = strings.whole_answer(milliseconds(whole)) if whole else ""
    missing = strings.NO_TOKENS if metrics.succeeded else ""
    return Figure(
        strings.SPEED,
        f"{rate(speed)} tokens/s" if speed else MISSING,
        detail or missing,
        speed,
        is_best and bool(speed),
    )


def _cost(report: Report, target: str, load: str) -> Figure:
    cost = report.costs.get((target, load))
    if cost is None or cost.per_1000_requests is None:
        return Figure(strings.COST, MISSING, strings.NO_PRICE if cost is None else cost.price, None)
    detail = f"{strings.PER_1000_REQUESTS}{cost_span(report, target, load, ', {} to {}')}"
    return Figure(strings.COST, f"{usd(cost.per_1000_requests)} USD", detail, cost.per_1000_requests)


def _failed(metrics: Metrics) -> Figure:
    failed = metrics.requests - metrics.succeeded
    share = failed / metrics.requests if metrics.requests else None
    return Figure(strings.FAILED, f"{failed:,}", strings.of_requests(metrics.requests), share, is_share=True)


def _cards_html(cards: Sequence[Card]) -> str:
    largest: dict[str, float] = {}
    for figure in (figure for card in cards for figure in card.figures):
        largest[figure.name] = 1.0 if figure.is_share else max(largest.get(figure.name, 0.0), figure.value or 0.0)
    return "".join(_card_html(card, largest, number) for number, card in enumerate(cards))


def _card_html(card: Card, largest: Mapping[str, float], number: int) -> str:
    title = f'<p class="sp-title-of">{escape(card.title)}</p>' if card.title else ""
    figures = "".join(
        _figure_html(figure, largest[figure.name], f"card-{number}-{place}")
        for place, figure in enumerate(card.figures)
    )
    return (
        f'<article class="sp-target" style="--sp-colour:{card.colour}" aria-label="{escape(card.target)}">'
        f'<p class="sp-name">{escape(card.target)}</p>{title}<dl>{figures}</dl></article>'
    )


def _figure_html(figure: Figure, most: float, key: str) -> str:
    share = (figure.value or 0.0) / most if most else 0.0
    bar = f'<span class="sp-bar" aria-hidden="true"><i style="width:{share:.0%}"></i></span>'
    best = f' <span class="sp-best">{figure.best}</span>' if figure.is_best else ""
    return (
        f"<div><dt>{term_html(figure.name, key)}</dt><dd><strong>{escape(figure.text)}</strong>{best}"
        f"{' ' if figure.value is None else bar}<small>{escape(figure.detail)}</small></dd></div>"
    )
