"""The CSS of the comparator's page, in addition to that of all Spaces."""

from __future__ import annotations

from compare.report.overview.cards import CSS as OVERVIEW_CSS

CSS = (
    OVERVIEW_CSS
    + """
.sp-lead { font-size: 1rem; margin: .25rem 0 .5rem; max-width: 100ch; color: var(--body-text-color); }
button[role="tab"][aria-selected="true"] { color: var(--sp-accent); }
#prompt .input-container { gap: .5rem; }
#prompt textarea { border-radius: var(--input-radius); outline-offset: 0; }
#prompt .submit-button { background: var(--button-primary-background-fill); color: var(--button-primary-text-color); }
#charts .html-container, #overview .html-container { padding: 0; }
"""
)
