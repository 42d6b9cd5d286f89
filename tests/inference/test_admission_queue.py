"""The gate: who comes in, in which order, and what happens to those who leave."""

from __future__ import annotations

import asyncio

import pytest

from inference.admission_queue import LONGEST_WAIT, Gate
from inference.errors import Full


class Visitor:
    """Wants a slot, holds it until told otherwise."""

    def __init__(self, gate: Gate, name: str = "", log: list[str] | None = None) -> None:
        self.leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit(gate, name, [] if log is None else log))

    async def _visit(self, gate: Gate, name: str, log: list[str]) -> None:
        async with gate.slot() as waited:
            assert waited >= 0
            log.append(name)
            await self.leave.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_slots_are_given_in_the_order_of_asking() -> None:
    gate, log = Gate(2, 10), list[str]()
    visitors = [Visitor(gate, name, log) for name in "abcdef"]
    await settle()
    assert log == ["a", "b"]
    assert (gate.in_use, gate.waiting) == (2, 4)
    for visitor in visitors:
        visitor.leave.set()
        await settle()
    assert log == list("abcdef")
    assert (gate.in_use, gate.waiting) == (0, 0)


async def test_a_full_queue_turns_the_next_one_away() -> None:
    gate = Gate(1, 1)
    visitors = [Visitor(gate) for _ in range(3)]
    await settle()
    with pytest.raises(Full, match="All 1 slots are taken and 1 requests wait") as caught:
        await visitors[2].task
    assert caught.value.retry_after == gate.retry_after >= 1
    for visitor in visitors[:2]:
        visitor.leave.set()
        await visitor.task
    assert (gate.in_use, gate.waiting) == (0, 0)


async def test_whoever_leaves_while_waiting_gives_the_place_up() -> None:
    gate, log = Gate(1, 2), list[str]()
    first, second, third = (Visitor(gate, name, log) for name in "abc")
    await settle()
    second.task.cancel()
    await settle()
    assert (gate.in_use, gate.waiting) == (1, 1)
    first.leave.set()
    await settle()
    assert log == ["a", "c"]
    third.leave.set()
    await third.task
    assert (gate.in_use, gate.waiting) == (0, 0)


async def test_whoever_leaves_just_as_the_turn_comes_loses_no_slot() -> None:
    gate = Gate(1, 5)
    for _ in range(20):
        first, second, third = (Visitor(gate) for _ in range(3))
        await settle()
        first.leave.set()
        second.task.cancel()  # in the same turn of the loop
        third.leave.set()
        await asyncio.gather(first.task, second.task, third.task, return_exceptions=True)
        assert (gate.in_use, gate.waiting) == (0, 0)


async def test_without_room_a_free_slot_is_still_given() -> None:
    gate = Gate(1, 0)
    for _ in range(3):
        visitor = Visitor(gate)
        await settle()
        with pytest.raises(Full):
            async with gate.slot():
                pass
        visitor.leave.set()
        await visitor.task


async def test_an_error_inside_gives_the_slot_back() -> None:
    gate = Gate(1, 0)
    with pytest.raises(ValueError, match="inside"):
        async with gate.slot():
            raise ValueError("inside")
    assert gate.in_use == 0


async def test_the_wait_that_is_told_grows_with_the_queue_and_ends() -> None:
    gate = Gate(1, 1000)
    assert gate.retry_after == 1
    visitors = [Visitor(gate) for _ in range(1 + 30)]
    await settle()
    assert gate.retry_after > 10
    more = [Visitor(gate) for _ in range(500)]
    await settle()
    assert gate.retry_after == LONGEST_WAIT
    for visitor in visitors + more:
        visitor.leave.set()
    await asyncio.gather(*(visitor.task for visitor in visitors + more))
    assert gate.retry_after == 1
