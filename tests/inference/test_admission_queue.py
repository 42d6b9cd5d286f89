"""The admission queue: order, limits, and clients that leave."""

from __future__ import annotations

import asyncio

import pytest

from inference.answers.admission_queue import MAX_RETRY_AFTER, AdmissionQueue
from inference.errors import Full


class Client:
    """Takes a slot and holds it until `release` is set."""

    def __init__(self, queue: AdmissionQueue, name: str = "", log: list[str] | None = None) -> None:
        self.release = asyncio.Event()
        self.task = asyncio.create_task(self._hold(queue, name, [] if log is None else log))

    async def _hold(self, queue: AdmissionQueue, name: str, log: list[str]) -> None:
        async with queue.slot() as seconds:
            assert seconds >= 0
            log.append(name)
            await self.release.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_clients_get_slots_in_arrival_order() -> None:
    queue, log = AdmissionQueue(2, 10), list[str]()
    clients = [Client(queue, name, log) for name in "abcdef"]
    await settle()
    assert log == ["a", "b"]
    assert (queue.in_use, queue.length) == (2, 4)
    for client in clients:
        client.release.set()
        await settle()
    assert log == list("abcdef")
    assert (queue.in_use, queue.length) == (0, 0)


async def test_full_queue_refuses_the_next_client() -> None:
    queue = AdmissionQueue(1, 1)
    clients = [Client(queue) for _ in range(3)]
    await settle()
    with pytest.raises(Full, match="All 1 slots are taken and 1 requests wait") as caught:
        await clients[2].task
    assert caught.value.retry_after == queue.retry_after >= 1
    for client in clients[:2]:
        client.release.set()
        await client.task
    assert (queue.in_use, queue.length) == (0, 0)


async def test_client_that_leaves_the_queue_frees_its_place() -> None:
    queue, log = AdmissionQueue(1, 2), list[str]()
    first, second, third = (Client(queue, name, log) for name in "abc")
    await settle()
    second.task.cancel()
    await settle()
    assert (queue.in_use, queue.length) == (1, 1)
    first.release.set()
    await settle()
    assert log == ["a", "c"]
    third.release.set()
    await third.task
    assert (queue.in_use, queue.length) == (0, 0)


async def test_those_who_wait_hear_how_many_are_ahead() -> None:
    queue, places = AdmissionQueue(1, 3), {name: list[int]() for name in "abcd"}

    async def hold(name: str) -> None:
        async with queue.slot(places[name].append):
            await release.wait()

    release = asyncio.Event()
    tasks = [asyncio.create_task(hold(name)) for name in "abcd"]
    await settle()
    assert places == {"a": [], "b": [0], "c": [1], "d": [2]}
    tasks[1].cancel()
    await settle()
    assert (places["b"], places["c"][-1], places["d"][-1]) == ([0], 0, 1)
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert places["d"][-1] == 0


async def test_client_that_leaves_as_its_slot_becomes_free_loses_no_slot() -> None:
    queue = AdmissionQueue(1, 5)
    for _ in range(20):
        first, second, third = (Client(queue) for _ in range(3))
        await settle()
        first.release.set()
        second.task.cancel()  # in the same iteration of the event loop
        third.release.set()
        await asyncio.gather(first.task, second.task, third.task, return_exceptions=True)
        assert (queue.in_use, queue.length) == (0, 0)


async def test_without_capacity_a_free_slot_is_still_used() -> None:
    queue = AdmissionQueue(1, 0)
    for _ in range(3):
        client = Client(queue)
        await settle()
        with pytest.raises(Full):
            async with queue.slot():
                pass
        client.release.set()
        await client.task


async def test_error_inside_releases_the_slot() -> None:
    queue = AdmissionQueue(1, 0)
    with pytest.raises(ValueError, match="inside"):
        async with queue.slot():
            raise ValueError("inside")
    assert queue.in_use == 0


async def test_retry_after_grows_with_the_queue_up_to_a_limit() -> None:
    queue = AdmissionQueue(1, 1000)
    assert queue.retry_after == 1
    clients = [Client(queue) for _ in range(1 + 30)]
    await settle()
    assert queue.retry_after > 10
    more = [Client(queue) for _ in range(500)]
    await settle()
    assert queue.retry_after == MAX_RETRY_AFTER
    for client in clients + more:
        client.release.set()
    await asyncio.gather(*(client.task for client in clients + more))
    assert queue.retry_after == 1
