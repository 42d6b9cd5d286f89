"""The bold words of a document's own Markdown."""

from __future__ import annotations

import re

# Not the powers of "2**3**4", nor the "**" of "f(**options)".
BOLD = re.compile(r"(?<![\w*])\*\*(?=\S)([^*\n]{1,300})(?<=\S)\*\*(?![\w*])")
