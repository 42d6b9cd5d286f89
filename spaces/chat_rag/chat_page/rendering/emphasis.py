"""The bold and italic words of a document's own Markdown."""

from __future__ import annotations

import re

# Not the powers of "2**3**4", nor the "**" of "f(**options)".
BOLD = re.compile(r"(?<![\w*])\*\*(?=\S)([^*\n]{1,300})(?<=\S)\*\*(?![\w*])")
# Not "2 * 3 * 4", "5*3 and 4*2", the "*" of "f(*args)", nor the marks of footnotes: "(*)", "Total*", "* Note".
ITALIC = re.compile(r"(?<![\w*])\*(?=\w)([\w ,.!?'’&-]{1,100})(?<=[\w.!?])\*(?![\w*])")
