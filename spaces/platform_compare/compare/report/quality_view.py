"""The quality of answers as HTML: verdicts, shares by target, and the questions where targets differ."""

from __future__ import annotations

from html import escape

from compare.report import quality_text
from compare.report.render import note, subtitle, table
from compare.report.report import Report


def quality_html(report: Report) -> str:
    """Return whose answers are right, how certain that is, and where targets differ."""
    if not report.quality:
        return f'<p class="sp-empty">{escape(quality_text.NO_QUESTIONS)}</p>'
    items = "".join(f"<li>{escape(text)}</li>" for text in quality_text.verdict_lines(report))
    verdicts = f'<div class="sp-verdict"><ul>{items}</ul></div>' if items else ""
    shares = table(quality_text.SHARE_HEADERS, quality_text.share_rows(report), key="quality")
    return verdicts + shares + note(quality_text.NOTE) + _differing_html(report)


def _differing_html(report: Report) -> str:
    rows, text = quality_text.differing_rows(report), quality_text.differing_note(report)
    if len(report.run.targets) < 2:
        return ""
    columns = len(quality_text.DIFFERING_HEADERS)
    differing = table(quality_text.DIFFERING_HEADERS, rows, text_columns=columns) if rows else ""
    return subtitle(quality_text.DIFFERING) + differing + (note(text) if text else "")
