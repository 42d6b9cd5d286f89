"""Theme of all Spaces: a Gradio theme, and CSS for elements that Gradio has no component for.

The colours are deep blue for text and background and orange for buttons and links.
"""

from __future__ import annotations

from typing import Any

# The sizes of all text on the pages, the report's file and the dashboard.
TYPE_SCALE = (
    ":root { --sp-text-xs: .75rem; --sp-text-sm: .8125rem; --sp-text-md: .875rem; --sp-text-lg: 1rem; "
    "--sp-text-xl: 1.125rem; --sp-text-2xl: 1.375rem; }\n"
)
CSS = (
    """
:root { --sp-accent: #c2410c; --sp-mark: #ffedd5; --sp-bad: #b91c1c; --sp-good: #15803d; color-scheme: light; }
:root:has(> body.dark), .dark { --sp-accent: #fb923c; --sp-mark: #43230f; --sp-bad: #fca5a5; --sp-good: #4ade80;
  color-scheme: dark; }
"""
    + TYPE_SCALE
    + """
* { scrollbar-width: thin; scrollbar-color: var(--neutral-400) transparent; }
.dark * { scrollbar-color: var(--neutral-600) transparent; }
/* Gradio's body is bright in the dark, and what shows below the page's scrollbar. */
body.dark { background: var(--body-background-fill) !important; }
:is(input, textarea)::placeholder { color: var(--body-text-color-subdued) !important; opacity: 1; }
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation-duration: .01ms !important; animation-iteration-count: 1 !important;
    transition-duration: .01ms !important; scroll-behavior: auto !important; }
}
/* Gradio's thumb is white on white. */
input[type=range]::-webkit-slider-thumb { border: 1px solid var(--neutral-500) !important; }
input[type=range]::-moz-range-thumb { border: 1px solid var(--neutral-500) !important; }
/* The rest of its track is as bright as text in the dark. */
.dark input[type=range] { --neutral-200: var(--neutral-600); }
footer .divider { display: none; }
/* Narrow margins on a phone. Gradio puts its own container before each selector in @media, so this can't be there. */
.gradio-container > .main.app { padding: 1rem clamp(.75rem, 3vw, 2rem); }
.gradio-container main { width: 100%; max-width: 1400px !important; margin: 0 auto !important; }
.sp-head { display: flex; align-items: baseline; gap: .1rem .75rem; flex-wrap: wrap; padding: .25rem 0; }
.sp-head h1 { font-size: var(--sp-text-2xl); margin: 0; letter-spacing: -.01em; }
.sp-head p { margin: 0; color: var(--body-text-color-subdued); }
.sp-title { font-size: var(--sp-text-sm); font-weight: 600; text-transform: uppercase; letter-spacing: .06em;
  color: var(--body-text-color-subdued); margin: 0; }

:is(button, input, textarea, a, summary, [tabindex]):focus-visible { outline: 2px solid var(--sp-accent) !important;
  outline-offset: 2px; }
/* Beside a slider, the box of the number would cut it off. */
input[type=number]:focus-visible { outline-offset: -2px; }
.sp-empty, .sp-note { color: var(--body-text-color-subdued); font-size: var(--sp-text-md); margin: .35rem 0; }
.sp-note.sp-bad, .sp-note.sp-bad li { color: var(--sp-bad); }
.html-container:has(> .prose > .sp-note), .html-container:has(> .prose > .sp-more) { padding: 0; }
.sp-bar { height: 4px; border-radius: 2px; background: var(--border-color-primary); overflow: hidden; }
.sp-bar > i { display: block; height: 100%; background: var(--sp-accent); }

/* Gradio drops a border with a variable if a rule changes one of its sides, so style, width and colour are apart. */
.sp-card { border-style: solid; border-width: 1px 1px 1px 3px;
  border-color: var(--border-color-primary) var(--border-color-primary) var(--border-color-primary) var(--sp-accent);
  border-radius: 8px; padding: .6rem .75rem; margin: 0 0 .6rem; background: var(--background-fill-primary);
  scroll-margin: 1rem; }
.sp-more .sp-card { border-left-color: var(--border-color-primary); }
.sp-card.sp-on { border-color: var(--sp-accent); box-shadow: 0 0 0 1px var(--sp-accent); }
.sp-card header { display: flex; gap: .5rem; align-items: baseline; font-size: var(--sp-text-md); }
.sp-card .sp-name { font-weight: 600; min-width: 0; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.sp-card .sp-place { color: var(--body-text-color-subdued); white-space: nowrap; margin-left: auto;
  overflow: hidden; text-overflow: ellipsis; max-width: 50%; }
.sp-number { color: var(--sp-accent); }
.sp-card blockquote { margin: .4rem 0; padding: 0; border: 0; font-size: var(--sp-text-md); line-height: 1.5;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 16.5em; overflow-y: auto;
  color: var(--body-text-color); }
.sp-card footer { font-size: var(--sp-text-xs); color: var(--body-text-color-subdued); }
/* Gradio gives links in its HTML the padding of buttons. */
.gradio-style :is(p, li, td) a { padding: 0; }
.toast-message-text { text-wrap: pretty; }
.sp-more > summary, .sp-turn > summary { cursor: pointer; font-size: var(--sp-text-md); padding: .35rem 0;
  color: var(--body-text-color-subdued); }

.message a[href*="#source-"] { display: inline-block; min-width: 1.25em; padding: 0 .3em; margin: 0 .1em;
  border-radius: 5px; background: var(--sp-mark); color: var(--sp-accent); font-size: .75em; font-weight: 600;
  line-height: 1.5; text-align: center; text-decoration: none; vertical-align: text-top; }
.message a[href*="#source-"][href$="a"] { background: none; box-shadow: inset 0 0 0 1px var(--sp-accent); }
.sp-progress { padding: .35rem 0; }
.sp-race header { display: flex; justify-content: space-between; gap: .5rem; align-items: baseline; }
.sp-state { font-size: var(--sp-text-xs); color: var(--body-text-color-subdued); white-space: nowrap; }
.sp-state.sp-answering, .sp-state.sp-thinking { color: var(--sp-accent); }
.sp-state.sp-failed { color: var(--sp-bad); }
.sp-race dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr)); gap: .25rem .75rem;
  margin: .5rem 0; }
.sp-race dt { font-size: var(--sp-text-xs); color: var(--body-text-color-subdued); }
.sp-race dd { margin: 0; font-size: var(--sp-text-md); font-variant-numeric: tabular-nums; white-space: nowrap; }
.sp-race details p { white-space: pre-wrap; font-size: var(--sp-text-md); color: var(--body-text-color-subdued); }
.sp-column { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: .75rem !important;
  background: var(--background-fill-primary); }
.sp-answer { font-size: var(--sp-text-lg); overflow-wrap: anywhere; min-height: 4rem; }
.sp-answer blockquote { border-left: 3px solid var(--sp-bad); padding-left: .75rem; }
.sp-verdict ul { margin: 0 0 .5rem; padding-left: 1.1rem; list-style: disc; }
.sp-verdict li { margin: .15rem 0; }
.sp-verdict .sp-caveats li { color: var(--sp-accent); font-size: var(--sp-text-md); }
.sp-table { overflow-x: auto; margin: .25rem 0 .5rem; }
.sp-table table { border-collapse: collapse; width: 100%; font-size: var(--sp-text-sm); margin: 0; }
/* Gradio's prefix goes into :is() too, and would make these stronger than the rules for narrow windows. */
.sp-table table, .sp-table thead, .sp-table tbody, .sp-table tr { border: 0 !important; }
.sp-table th, .sp-table td { text-align: left; padding: .3rem .45rem; vertical-align: top;
  border: 0 !important; border-bottom: 1px solid var(--border-color-primary) !important; }
.sp-table td:first-child, .sp-table td:nth-child(2):not(:last-child) { white-space: nowrap; }
.sp-column .html-container { padding: 0 !important; }
.sp-table th { font-weight: 500; color: var(--body-text-color-subdued); }
.sp-table td.sp-num, .sp-table th.sp-num { text-align: right !important; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.js-plotly-plot text { fill: var(--body-text-color-subdued) !important; }
#chat .placeholder-content { padding: 0 1rem; }
/* Where a link leads, in brackets: the text of a link comes from a model. */
:is(.message, .thought, .prose) a[data-address]:not([data-address=""])::after { content: " (" attr(data-address) ")";
  font-size: .8em; color: var(--body-text-color-subdued); overflow-wrap: anywhere; }
.message blockquote { border-left: 3px solid var(--sp-bad); padding-left: .75rem; }
.block:has(> .html-container > .prose:empty), #documents:empty { display: none; }
"""
)

HEAD = r"""
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>
// Copied text is what the model wrote: without the zero-width spaces that make it safe to display, which follow the
// first character of what they disable, and without the languages that the page writes before those of a fence. A page
// can add cleaners of its own.
const copyCleaners = [(text) => text.replace(/(?<=[<!\]%$&#\\])\u200b/g, "")
  .replace(/^([ \t>*-]*[`~]{3,})(?:text (?=\s*mermaid)|c (?=\s*cpp))/gim, "$1")];
const cleanCopy = (text) => copyCleaners.reduce((copy, clean) => clean(copy), text);
document.addEventListener("copy", (event) => {
  const text = String(getSelection());
  if (cleanCopy(text) === text) return;
  event.clipboardData.setData("text/plain", cleanCopy(text));
  event.preventDefault();
});
// The buttons of messages and code blocks write to the clipboard themselves. It's missing on pages without TLS.
if (navigator.clipboard) {
  const write = navigator.clipboard.writeText.bind(navigator.clipboard);
  navigator.clipboard.writeText = (text) => write(cleanCopy(text));
}
// A model writes a link's text and its address, whose path and query can carry what it has read: the reader sees both.
const showAddress = (link) => {
  const address = `${link.host}${link.pathname}${link.search}${link.hash}`;
  const short = address.length > 120 ? `${address.slice(0, 119)}…` : address;
  link.dataset.address = link.origin === location.origin || link.textContent.trim() === link.href ? "" : short;
  if (link.dataset.address) link.rel = "noopener noreferrer nofollow";
};
// Gradio gives the row of examples the role of a list without list items, and sets all text from left to right. It sets
// the direction of each message again at each token, and then the browser computes the style of all that is inside. An
// element without a direction costs nothing, and the text in it has its own. Only what is new on the page is searched:
// a long conversation has more than ten thousand elements.
const TEXTS = ":is(textarea, .message-content):not([dir=auto])", ROW = ".examples[role=list]";
const GRADIO_TEXTS = ".message [data-testid][dir]";
const LINKS = ":is(.message, .thought, .prose) a[href]:not([data-address])";
const within = (part, selector) => [...(part.matches(selector) ? [part] : []), ...part.querySelectorAll(selector)];
const prepare = (part) => {
  within(part, ROW).forEach((row) => row.setAttribute("role", "group"));
  within(part, TEXTS).forEach((text) => text.dir = "auto");
  within(part, GRADIO_TEXTS).forEach((text) => text.removeAttribute("dir"));
  within(part, LINKS).forEach(showAddress);
};
new MutationObserver((changes) => {
  for (const {addedNodes} of changes) {
    for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) prepare(node);
  }
}).observe(document, {childList: true, subtree: true});
</script>
"""


def theme() -> Any:
    """Return the Gradio theme; importing this module doesn't import Gradio."""
    import gradio as gr

    base = gr.themes.Base(
        primary_hue=gr.themes.colors.orange,
        secondary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        # No remote fonts: a third party must not learn a visitor's address.
        font=["ui-sans-serif", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return base.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_border_width="1px",
        block_shadow="none",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_text_color="white",
        button_secondary_text_color="*body_text_color",
        button_secondary_text_color_hover="*body_text_color",
        # White marks on them, and frames that show without one: 3:1 at least, as for all that can be clicked.
        checkbox_background_color_selected="*primary_700",
        checkbox_background_color_selected_dark="*primary_700",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_500",
        checkbox_border_color_selected="*primary_700",
        checkbox_border_color_selected_dark="*primary_700",
        checkbox_border_color_focus="*primary_700",
        checkbox_border_color_focus_dark="*primary_400",
        block_title_text_color="*neutral_700",
        slider_color="*primary_700",
        slider_color_dark="*primary_400",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_400",
    )
