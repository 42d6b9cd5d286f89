"""Room that all clients share, with a limit for each address."""

from __future__ import annotations

from collections import Counter


class SharedRoom:
    """Counts the bytes that each address uses; used only on the event loop."""

    def __init__(self, per_address: int, total: int) -> None:
        self._per_address = per_address
        self._total = total
        self._used: Counter[str] = Counter()
        self._all = 0

    def fits_address(self, address: str, size: int) -> bool:
        return self._used[address] + size <= self._per_address

    def fits_total(self, size: int) -> bool:
        return self._all + size <= self._total

    def take(self, address: str, size: int) -> None:
        self._used[address] += size
        self._all += size

    def give_back(self, address: str, size: int) -> None:
        self._all -= size
        self._used[address] -= size
        if self._used[address] <= 0:
            del self._used[address]
