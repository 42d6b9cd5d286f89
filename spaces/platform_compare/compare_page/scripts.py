"""Scripts of the page's events."""

from __future__ import annotations

# The name of the run in the page's address, "" without one. The address keeps it, so that a reload opens the run again.
READ_LINK_JS = """() => {
  addEventListener("hashchange", () => { if (location.hash.startsWith("#run=")) location.reload(); });
  return location.hash.startsWith("#run=") ? decodeURIComponent(location.hash.slice(5, 205)) : "";
}"""
# The address has no query: on a Space it may contain the visitor's own key to the page.
LINK_JS = """(name) => name ? location.origin + location.pathname + "#run=" + encodeURIComponent(name) : \"\""""
