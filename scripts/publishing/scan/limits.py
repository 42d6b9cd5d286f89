"""Limits for unpacking: an archive that exceeds them is refused, since its rest would not be scanned."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 100_000_000
MAX_PARTS = 20_000
MAX_DEPTH = 6


class Unscannable(Exception):
    """A file, or a part of it, can't be scanned; the message completes "name: "."""


@dataclass(slots=True)
class Budget:
    """What is left for unpacking one file: bytes and parts."""

    left_bytes: int = MAX_BYTES
    left_parts: int = MAX_PARTS

    def spend(self, data: bytes) -> bytes:
        """Count an unpacked part and return it."""
        self.left_bytes -= len(data)
        self.left_parts -= 1
        if self.left_bytes < 0 or self.left_parts < 0:
            raise Unscannable(f"it unpacks to more than {MAX_BYTES / 1e6:g} MB or {MAX_PARTS} parts")
        return data
