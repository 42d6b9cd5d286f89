"""The rule by which scarce places are given out: the caller with least in flight goes next.

The class knows no clock, no thread and no page. `ui.admission.admission` waits, measures and releases.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass

from ui.admission.strings import Reason
from ui.admission.work_limits import Places

MAX_REMEMBERED = 10_000
# One place in so many is only for an address that has none. Otherwise a few addresses could take all of them, and
# everybody else would wait until their work ends.
NEWCOMER_SHARE = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the address, and a visitor behind it, who is an account, a key, or the programs of the address."""

    address: str
    visitor: str


@dataclass(slots=True, eq=False)
class Entry:
    """What became of a caller's request for a place: it runs, waits, or has a `refusal`."""

    caller: Caller
    arrival: int = 0
    running: bool = False
    refusal: Reason | None = None


class FairQueue:
    """Gives out `places`; `waiting` limits the entries that wait. Not safe across threads."""

    def __init__(self, places: Places, waiting: Places) -> None:
        self._places = places
        self._max_waiting = waiting
        self._waiting: list[Entry] = []
        self._running: Counter[str] = Counter()
        self._in_flight = self._arrivals = self._starts = 0
        self._last_start: OrderedDict[str, int] = OrderedDict()

    @property
    def in_flight(self) -> int:
        """How many places are taken."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """How many entries wait."""
        return len(self._waiting)

    def running(self, caller: Caller) -> int:
        """Return how many places the caller's address has."""
        return self._running[_names(caller)[0]]

    def ahead(self, entry: Entry) -> int:
        """Return how many waiting entries are before this one."""
        rank = self._rank(entry)
        return sum(self._rank(other) < rank for other in self._waiting)

    def refusal(self, caller: Caller) -> Reason | None:
        """Return why the caller can neither have a place nor wait for one, or None."""
        limit = self._max_waiting
        if self._may_run(caller):
            return None
        if limit.visitor and sum(entry.caller.visitor == caller.visitor for entry in self._waiting) >= limit.visitor:
            return Reason.VISITOR_BUSY
        if limit.address and sum(entry.caller.address == caller.address for entry in self._waiting) >= limit.address:
            return Reason.ADDRESS_BUSY
        return Reason.FULL if self._is_full() and self._displaceable(caller) is None else None

    def join(self, caller: Caller) -> tuple[Entry, Entry | None]:
        """Return the caller's new entry, and the waiting entry that was refused to make room for it, if any."""
        self._arrivals += 1
        entry = Entry(caller, self._arrivals, refusal=self.refusal(caller))
        displaced = None
        if entry.refusal is None:
            if self._is_full() and not self._may_run(caller) and (displaced := self._displaceable(caller)):
                displaced.refusal = Reason.FULL
                self._waiting.remove(displaced)
            self._waiting.append(entry)
            self._start()  # only this entry can start: for the others nothing changed
        return entry, displaced

    def leave(self, entry: Entry) -> list[Entry]:
        """Give up a place, or the wait for one; return the entries that start now. Leaving twice changes nothing."""
        if entry in self._waiting:
            self._waiting.remove(entry)
        if not entry.running:
            return []
        entry.running = False
        self._in_flight -= 1
        self._running -= Counter(_names(entry.caller))
        return self._start()

    def _start(self) -> list[Entry]:
        """Start the entries whose turn it is, and return them."""
        started = []
        while candidates := [entry for entry in self._waiting if self._may_run(entry.caller)]:
            entry = min(candidates, key=self._rank)
            self._waiting.remove(entry)
            entry.running = True
            self._in_flight += 1
            self._starts += 1
            for name in _names(entry.caller):
                self._running[name] += 1
                self._last_start[name] = self._starts
                self._last_start.move_to_end(name)
            while len(self._last_start) > MAX_REMEMBERED:
                self._last_start.popitem(last=False)
            started.append(entry)
        return started

    def _rank(self, entry: Entry) -> tuple[int, ...]:
        """The order of waiting entries: least in flight, then served longest ago, then arrived first.

        The address comes before the visitor, because everybody can have any number of keys.
        """
        parts = ((self._running[name], self._last_start.get(name, 0)) for name in _names(entry.caller))
        return (*(number for part in parts for number in part), entry.arrival)

    def _may_run(self, caller: Caller) -> bool:
        address, visitor = (self._running[name] for name in _names(caller))
        total = self._places.total
        if address:
            total -= total // NEWCOMER_SHARE
        counts = (self._in_flight, address, visitor)
        limits = (total, self._places.address, self._places.visitor)
        return all(not limit or count < limit for count, limit in zip(counts, limits, strict=True))

    def _is_full(self) -> bool:
        return bool(self._max_waiting.total) and len(self._waiting) >= self._max_waiting.total

    def _displaceable(self, caller: Caller) -> Entry | None:
        """Return the last entry of the address with the most, if the caller's address stays below it; or None."""
        counts = Counter(entry.caller.address for entry in self._waiting)
        (address, count) = counts.most_common(1)[0] if counts else ("", 0)
        if count <= counts[caller.address] + 1:
            return None
        return next(entry for entry in reversed(self._waiting) if entry.caller.address == address)


def _names(caller: Caller) -> tuple[str, str]:
    return f"address {caller.address}", f"visitor {caller.visitor}"
