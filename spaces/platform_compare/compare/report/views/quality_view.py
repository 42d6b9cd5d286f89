"""The quality of answers as HTML: shares by target, and the questions where targets differ."""

from __future__ import annotations

from html import escape

from compare.report.report import Report
from compare.report.views.html_table import table
from compare.report.views.render import note, subtitle
from compare.report.words import quality_text
from compare.report.words.judge_text import judge_html


def quality_html(report: Report) -> str:
    """Return how many answers of each target are right, where targets differ, and what judges say."""
    if not report.quality:
        return judge_html(report) or f'<p class="sp-empty">{escape(quality_text.NO_QUESTIONS)}</p>'
    shares = table(quality_text.SHARE_HEADERS, quality_text.share_rows(report), key="quality")
    return shares + note(quality_text.NOTE) + _differing_html(report) + judge_html(report)


def _differing_html(report: Report) -> str:
    rows, text = quality_text.differing_rows(report), quality_text.differing_note(report)
    if not (rows or text):
        return ""
    headers = quality_text.differing_headers(report)
    texts = table(headers, rows, text_columns=len(headers), key="differing")
    differing = f'<div class="sp-texts">{texts}</div>' if rows else ""
    return subtitle(quality_text.DIFFERING) + differing + (note(text) if text else "")
