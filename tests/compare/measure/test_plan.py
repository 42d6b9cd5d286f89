"""Valid plans, and the order that makes a comparison fair."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest

from compare.errors import PlanError
from compare.measure.load import Load
from compare.measure.plan import RunPlan, closed_loops, parse_numbers, sweep


@pytest.mark.parametrize(
    ("pattern", "value", "message"),
    [
        ("closed", 0, "concurrency 0."),
        ("closed", -1, "concurrency -1."),
        ("closed", 1.5, "concurrency 1.5."),
        ("closed", 257, "concurrency 257."),
        ("closed", float("inf"), "concurrency inf."),
        ("closed", float("nan"), "concurrency nan."),
        ("constant", 0, "0 requests/s"),
        ("constant", -2.5, "-2.5 requests/s"),
        ("poisson", 1000.5, "1000.5 requests/s"),
        ("poisson", float("inf"), "inf requests/s"),
        ("poisson", float("nan"), "nan requests/s"),
    ],
)
def test_an_impossible_load_is_refused(pattern: Any, value: float, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        Load(pattern, value)
    assert message in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("load", "name", "concurrency"),
    [
        (Load("closed", 1), "concurrency 1", 1),
        (Load("closed", 256.0), "concurrency 256", 256),
        (Load("constant", 0.001), "0.001 requests/s, constant", None),
        (Load("poisson", 1000), "1000 requests/s, Poisson", None),
    ],
)
def test_a_load_at_its_bounds_has_a_name(load: Load, name: str, concurrency: int | None) -> None:
    assert (load.name, load.concurrency) == (name, concurrency)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requests", 0),
        ("requests", 100_001),
        ("warmup", -1),
        ("warmup", 1001),
        ("max_seconds", 0.5),
        ("max_seconds", 86_401),
        ("max_seconds", float("nan")),
        ("request_timeout", 0),
        ("request_timeout", 3601),
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("max_tokens", 0),
        ("max_tokens", 32_769),
        ("requests", "many"),
    ],
)
def test_a_number_out_of_bounds_is_named(field: str, value: Any) -> None:
    with pytest.raises(PlanError) as caught:
        RunPlan(("a",), **{field: value})
    assert caught.value.message.endswith(f" is {value!r}.")
    assert caught.value.remedy.startswith("Use a number from ")


@pytest.mark.parametrize(
    "bounds",
    [
        {"requests": 1, "warmup": 0, "max_seconds": 1, "request_timeout": 0.1, "temperature": 0, "max_tokens": 1},
        {
            "requests": 100_000,
            "warmup": 1000,
            "max_seconds": 86_400,
            "request_timeout": 3600,
            "temperature": 2,
            "max_tokens": 190,
        },
        {"requests": 500, "warmup": 0, "max_tokens": 32_768},
    ],
    ids=["least", "most", "longest"],
)
def test_the_bounds_themselves_are_allowed(bounds: dict[str, Any]) -> None:
    plan = RunPlan(("a",), **bounds)
    assert {name: getattr(plan, name) for name in bounds} == bounds


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ((), "No target is selected."),
        (("a", "b", "a"), "The target a appears twice."),
        (tuple("abcdefghi"), "9 targets are too many."),
    ],
)
def test_invalid_targets(targets: tuple[str, ...], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        RunPlan(targets)
    assert caught.value.message == message


@pytest.mark.parametrize("loads", [(), closed_loops([1, 4, 1])], ids=["none", "one twice"])
def test_each_load_appears_once(loads: tuple[Load, ...]) -> None:
    with pytest.raises(PlanError, match="no load, or a load appears twice"):
        RunPlan(("a",), loads)


def test_the_total_includes_the_cold_request_and_the_warm_up() -> None:
    assert RunPlan(("a", "b"), closed_loops([1, 4]), requests=10, warmup=3).total == 2 * (2 * 10 + 3 + 1)


PLANS = [
    RunPlan(("a", "b"), closed_loops([1]), requests=40),
    RunPlan(("a", "b", "c"), closed_loops([1, 4, 16]), requests=100, seed=7),
    RunPlan(("a", "b"), (Load("poisson", 3), Load("constant", 5)), requests=17),
    RunPlan(("a",), closed_loops([256]), requests=300),
    RunPlan(("a", "b"), closed_loops([1]), requests=5000),
]


@pytest.mark.parametrize("plan", PLANS)
def test_targets_of_a_load_and_round_run_back_to_back(plan: RunPlan) -> None:
    turns = [
        (at, [block.target for block in group])
        for at, group in groupby(plan.blocks(), key=lambda block: (block.number, block.load))
    ]
    assert all(sorted(turn) == sorted(plan.targets) for _, turn in turns)
    rounds = [at for at, _ in turns]
    assert len(set(rounds)) == len(rounds)
    assert [number for number, _ in rounds] == sorted(number for number, _ in rounds)
    for load in plan.loads:
        assert [number for number, other in rounds if other == load] == list(range(len(plan.sizes(load))))


@pytest.mark.parametrize("plan", PLANS)
def test_blocks_contain_each_request_of_each_target_and_load_once(plan: RunPlan) -> None:
    for load in plan.loads:
        assert sum(plan.sizes(load)) == plan.requests
        for target in plan.targets:
            blocks = [block for block in plan.blocks() if (block.target, block.load) == (target, load)]
            numbers = [number for block in blocks for number in range(block.first, block.first + block.size)]
            assert numbers == list(range(plan.requests))


@pytest.mark.parametrize(
    ("load", "requests", "sizes"),
    [
        (Load("closed", 1), 40, [2] * 20),
        (Load("closed", 1), 1, [1]),
        (Load("closed", 1), 1000, [10] * 100),
        (Load("closed", 4), 40, [8] * 5),
        (Load("closed", 4), 43, [9, 9, 9, 8, 8]),
        (Load("closed", 40), 40, [40]),
        (Load("constant", 9), 10, [5, 5]),
        (Load("constant", 9), 40, [5] * 8),
        (Load("poisson", 2), 400, [20] * 20),
    ],
)
def test_block_sizes(load: Load, requests: int, sizes: list[int]) -> None:
    assert RunPlan(("a",), (load,), requests=requests).sizes(load) == sizes


def test_the_seed_determines_the_order() -> None:
    def order(seed: int) -> list[tuple[int, str, str]]:
        blocks = RunPlan(("a", "b", "c"), closed_loops([1, 4]), seed=seed).blocks()
        return [(block.number, block.load.name, block.target) for block in blocks]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == sorted(order(2))


def test_no_target_always_goes_first() -> None:
    blocks = RunPlan(("a", "b"), requests=200, seed=3).blocks()
    firsts = [block.target for block in blocks[::2]]
    assert 30 < firsts.count("a") < 70
    assert len(firsts) == 100


@pytest.mark.parametrize(
    ("highest", "steps"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (16, [1, 2, 4, 8, 16]), (3, [1, 2, 3])]
)
def test_a_sweep_doubles_up_to_its_end(highest: int, steps: list[int]) -> None:
    assert [load.concurrency for load in sweep(highest)] == steps


@pytest.mark.parametrize("highest", [0, -4, 257])
def test_a_sweep_that_is_too_high_or_too_low(highest: int) -> None:
    with pytest.raises(PlanError, match=f"concurrency {highest}\\."):
        sweep(highest)


@pytest.mark.parametrize(
    ("text", "values"), [("1; 4", [1, 4]), ("1,4,16", [1, 4, 16]), (" 2.5 ", [2.5]), ("1,,2;", [1, 2])]
)
def test_lists_of_numbers(text: str, values: list[float]) -> None:
    assert parse_numbers(text, "the load") == values


@pytest.mark.parametrize("text", ["", " ", ";,", "1; x", "1 4", "inf", "1, nan", "1e999"])
def test_an_invalid_list_of_numbers(text: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_numbers(text, "--rate")
    assert caught.value.message == f"{text!r} isn't a list of numbers for --rate."
    assert caught.value.remedy == "Write it like 1, 4, 16."


def test_a_concurrency_above_the_requests_is_refused() -> None:
    with pytest.raises(PlanError, match="40 requests can't keep 64 in flight"):
        RunPlan(("a",), closed_loops([1, 64]), requests=40)


def test_a_run_too_large_to_read_back_is_refused() -> None:
    with pytest.raises(PlanError, match="more than can be read back"):
        RunPlan(("a", "b"), requests=100_000)


def test_a_number_of_four_hundred_digits_is_refused() -> None:
    with pytest.raises(PlanError, match="Can't measure concurrency"):
        sweep(10**400)


def test_different_rates_have_different_names() -> None:
    assert Load("poisson", 4.0).name != Load("poisson", 4.0000001).name
