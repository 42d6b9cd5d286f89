"""Requests and tokens a minute for each key, counted in this process."""

from __future__ import annotations

import asyncio

import pytest

from backends import Rejected
from backends.serving.redis.windows import Window
from gateway.limits.quota import LimitReached, Limits, Quota


async def allowed(limits: Limits, key: str, quota: Quota, count: int, tokens: int = 1) -> int:
    """How many of `count` requests at once get through."""

    async def one() -> bool:
        try:
            await limits.reserve(key, quota, tokens)
        except LimitReached:
            return False
        return True

    return sum(await asyncio.gather(*(one() for _ in range(count))))


async def test_each_key_has_its_own_limit() -> None:
    limits = Limits()
    assert await allowed(limits, "a", Quota(requests=5), 20) == 5
    assert await allowed(limits, "b", Quota(requests=7), 20) == 7
    assert await allowed(limits, "c", Quota(), 20) == 20


async def test_keys_with_a_thousand_requests_each_get_what_they_may() -> None:
    limits = Limits()
    counts = [await allowed(limits, f"key{number}", Quota(requests=600), 1000) for number in range(10)]
    assert all(594 <= count <= 606 for count in counts)  # 1 %: a minute may end meanwhile


async def test_tokens_are_reserved_and_settled() -> None:
    limits, quota = Limits(), Quota(tokens=1000)
    first = await limits.reserve("a", quota, 600)
    with pytest.raises(LimitReached, match=r"1,000 tokens a minute") as caught:
        await limits.reserve("a", quota, 500)
    assert caught.value.kind == "tokens"
    assert 1 <= (caught.value.retry_after or 0) <= 120
    await first.settle(100)
    await first.settle(0)  # only the first one counts
    second = await limits.reserve("a", quota, 900)
    await second.settle(2000)  # more than it had reserved
    assert not await allowed(limits, "a", quota, 1)


async def test_a_refused_request_uses_nothing() -> None:
    limits = Limits()
    await limits.reserve("a", Quota(2, 100), 90)
    assert not await allowed(limits, "a", Quota(2, 100), 5, tokens=50)
    assert await allowed(limits, "a", Quota(2, 100), 5, tokens=10) == 1


async def test_a_request_that_can_never_fit_is_told_so() -> None:
    with pytest.raises(Rejected, match="smaller max_tokens") as caught:
        await Limits().reserve("a", Quota(tokens=100), 101)
    assert caught.value.status == 400


async def test_a_limit_of_nothing_lets_nothing_through() -> None:
    refused: list[str] = []
    with pytest.raises(LimitReached):
        await Limits(refused=refused.append).reserve("a", Quota(requests=0), 1)
    assert refused == ["requests"]


async def test_a_correction_of_another_minute_leaves_nothing_behind() -> None:
    limits = Limits()
    await limits._local.correct("a/tokens", 100, -50, age=200)
    assert not limits._local._storage.storage
    assert await allowed(limits, "a", Quota(tokens=100), 5, tokens=100) == 1


@pytest.mark.parametrize(
    ("window", "amount", "seconds"),
    [
        (Window(0, 0, 0, 0), 1, 0),
        (Window(0, 0, 100, 120), 1, 60.6),  # the window ends in 60 s, then 1 % of its length passes
        (Window(100, 60, 0, 120), 1, 0.6),
        (Window(100, 30, 50, 90), 10, 6),
        (Window(0, 0, 100, 90), 100, 90),
    ],
)
def test_the_wait_is_how_long_the_window_needs(window: Window, amount: int, seconds: float) -> None:
    assert window.wait(100, amount) == pytest.approx(seconds)


@pytest.mark.parametrize(("limit", "words"), [(1, "1 request a minute"), (1500, "1,500 requests a minute")])
def test_a_used_limit_is_told_in_words(limit: int, words: str) -> None:
    assert f"may use {words}," in LimitReached("requests", limit, 5).message
