"""Scripts of the page's events."""

from __future__ import annotations

import json

# On a phone, answers and results are below the form. The page goes there as soon as there is something to see, unless a
# refusal is to be read.
SHOW_JS = """(selector) => {
  const part = document.querySelector(selector), reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const seen = new ResizeObserver(() => {
    if (part.offsetHeight < 50) return;
    seen.disconnect();
    if (document.querySelector("#progress [role=alert]")?.checkVisibility()) return;
    if (part.getBoundingClientRect().top > innerHeight / 2)
      part.scrollIntoView({behavior: reduced ? "auto" : "smooth"});
  });
  seen.observe(part);
}"""


# A chart that was drawn while its tab was closed has Plotly's own width, and its column would cut it off.
FIT_CHARTS_JS = '() => setTimeout(() => dispatchEvent(new Event("resize")), 50)'


# A wrong price marks its field, for the eye and for screen readers, which then read what is wrong with it.
MARK_PRICES_JS = """(errors) => {
  const field = document.querySelector("#prices textarea");
  for (const [name, value] of Object.entries({"aria-invalid": "true", "aria-describedby": "price-errors"}))
    errors ? field?.setAttribute(name, value) : field?.removeAttribute(name);
}"""


def show_js(selector: str) -> str:
    """Return a script that scrolls to an element when it has a height, if it's in the window's lower half or below."""
    return f"() => ({SHOW_JS})({json.dumps(selector)})"


# The name of the run in the page's address, "" without one. The address keeps it, so that a reload opens the run again.
READ_LINK_JS = """() => {
  addEventListener("hashchange", () => { if (location.hash.startsWith("#run=")) location.reload(); });
  return location.hash.startsWith("#run=") ? decodeURIComponent(location.hash.slice(5, 205)) : "";
}"""
# The address has no query: on a Space it may contain the visitor's own key to the page.
LINK_JS = """(name) => name ? location.origin + location.pathname + "#run=" + encodeURIComponent(name) : \"\""""
