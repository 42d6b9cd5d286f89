"""What stands around the text in the chunks of one answer, so that the next one need not be parsed."""

from __future__ import annotations

KEY = '"content"'


class ChunkTemplate:
    """Learns from a chunk that was parsed, and reads those that differ from it in nothing but their text.

    Most servers write all chunks of an answer alike, but for the text. Where each has figures of its own, or the text
    is spelled with escapes, nothing matches, and whoever asks parses as ever.
    """

    def __init__(self) -> None:
        self._before = self._after = ""  # nothing before it: none is known

    def learn(self, chunk: str, text: str) -> None:
        """Remember what stands around `text`, which is all that parsing `chunk` gave."""
        before, _, after = chunk.partition(f'{KEY}:"{text}"')
        # A second content, of another choice, say, could be the one that is read.
        known = after and _is_plain(text) and KEY not in before and KEY not in after
        self._before, self._after = (f'{before}{KEY}:"', f'"{after}') if known else ("", "")

    def read(self, chunk: str) -> str | None:
        """The text of a chunk like the one that was learned, or None: then it must be parsed."""
        if not (self._before and chunk.startswith(self._before) and chunk.endswith(self._after)):
            return None
        text = chunk[len(self._before) : -len(self._after)]
        whole = len(chunk) == len(self._before) + len(text) + len(self._after)  # else the two overlap
        return text if whole and _is_plain(text) else None


def _is_plain(text: str) -> bool:
    """Whether JSON spells the text as it is: no quotes, no escapes, no control characters."""
    return text.isprintable() and '"' not in text and "\\" not in text
