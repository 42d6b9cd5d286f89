r"""Formulas of an answer in the form that the page draws: `$x^2$` becomes `\(x^2\)`, and money stays money."""

from __future__ import annotations

import re

from ui.markdown import split_code

# As in Pandoc: no space inside the dollars, and neither a letter nor a digit around them. "from $5 to $10" has a space
# before its second dollar.
_INLINE = re.compile(r"(?<![\w$\\])\$(?=[^\s$])([^$\n]{1,300}?)(?<=[^\s\\])\$(?![\w$])")
# What mathematics has and prices don't: a command, an index or power, an equation, a relation; or one letter alone.
_MATHEMATICS = re.compile(
    r"\\[A-Za-z]|[\^_=<>]|^[A-Za-z]'?$|^[A-Za-z]\w?\([^)]*\)$|^[A-Za-z0-9]+( ?[-+*/] ?[A-Za-z0-9]+)+$"
)
# A formula doesn't contain the page's own tags or links.
_OWN = ("<span", "</span", "](#")


def mark_formulas(markdown: str) -> str:
    r"""Return Markdown with each formula between single dollars, outside of code, as `\(…\)`."""
    if "$" not in markdown:
        return markdown
    return "".join(part if is_code else _INLINE.sub(_marked, part) for part, is_code in split_code(markdown))


def _marked(match: re.Match[str]) -> str:
    formula = match[1]
    if not _MATHEMATICS.search(formula) or any(own in formula for own in _OWN):
        return match[0]
    return rf"\({formula}\)"
