"""The CSS of the comparator's page, in addition to that of all Spaces."""

from __future__ import annotations

from compare.report.overview.cards import CSS as OVERVIEW_CSS

CSS = (
    OVERVIEW_CSS
    + """
.sp-lead { margin: 0; max-width: 100ch; color: var(--body-text-color); }
.html-container:has(> .prose > :is(.sp-head, .sp-lead)) { padding: 0; }
.sp-answer blockquote { margin: 0 !important; }
button[role="tab"][aria-selected="true"] { color: var(--sp-accent); }
#prompt .input-container { gap: .5rem; }
#prompt textarea { border-radius: var(--input-radius); outline-offset: 0; }
#prompt :is(.submit-button, .stop-button) { border-radius: var(--button-small-radius); }
#prompt .submit-button { background: var(--button-primary-background-fill); color: var(--button-primary-text-color); }
.sp-leaderboard th.sp-num, .sp-table.sp-leaderboard td:nth-child(2) { white-space: normal; overflow-wrap: anywhere; }
.sp-table.sp-leaderboard tr.sp-row td { border-bottom: 0; }
.sp-table.sp-leaderboard tr.sp-below td { padding-bottom: .9rem; white-space: normal; font-weight: 400; }
.sp-table.sp-leaderboard tr.sp-below { grid-column: 1 / -1; }
.sp-leaderboard p { margin: 0; font-size: var(--sp-text-sm); color: var(--body-text-color); }
.js-plotly-plot .modebar-btn--logo { display: none; }
#charts .block:has(.sp-chart) { margin-bottom: -2.6rem; }  /* a chart's first line is its toolbar's, at the right */
#charts > :first-child { flex-basis: 100%; }
#details .html-container, #overview .html-container { padding: 0; }
#standing .html-container, #progress .html-container { padding: 0; }
/* Columns and buttons of a row are equally high, whatever their texts. */
#race-columns, #ballot { align-items: stretch; }
#ballot button { padding-inline: .5rem; }
#votes-file { flex: none; width: auto; min-width: 0; align-self: start; padding-inline: 1rem; }
#prices textarea[aria-invalid=true] { box-shadow: inset 0 0 0 1px var(--sp-bad) !important; }
"""
)
