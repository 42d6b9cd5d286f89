"""Which target a route chooses: pure, with a simulated clock."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from backends import (
    BackendError,
    Catalog,
    Interrupted,
    InvalidAnswer,
    NotConfigured,
    Overloaded,
    Rejected,
    TimedOut,
    Unreachable,
)
from backends.chat.failures import finish_failure, refusal
from gateway.routing.choice import View, order_targets
from gateway.routing.router import Router
from gateway.routing.settings import RouteSettings, read_route
from gateway.routing.target_states import RECENT_SECONDS, TargetStates, is_fault

ABC = ["a", "b", "c"]


def route(**settings: object) -> RouteSettings:
    return read_route({"targets": ABC, **settings})


def views(**by_name: dict[str, object]) -> list[View]:
    return [View(name, **by_name.get(name, {})) for name in ABC]  # type: ignore[arg-type]


# Choices.


def test_order_is_the_order_of_the_targets() -> None:
    assert order_targets(route(), views(), "u") == ABC
    assert order_targets(route(), views(a={"is_left_out": True}), "u") == ["b", "c"]
    assert order_targets(route(), [View(name, is_left_out=True) for name in ABC], "u") == ABC


def test_weights_are_shares_of_the_users_and_users_stay() -> None:
    weighted = route(choose="weights", weights=[70, 25, 5])
    users = [f"user{number}" for number in range(4000)]
    chosen = {user: order_targets(weighted, views(), user)[0] for user in users}
    shares = {name: count / len(users) for name, count in Counter(chosen.values()).items()}
    assert shares == {
        "a": pytest.approx(0.7, abs=0.03),
        "b": pytest.approx(0.25, abs=0.03),
        "c": pytest.approx(0.05, abs=0.02),
    }
    assert all(order_targets(weighted, views(), user)[0] == name for user, name in chosen.items())
    more = route(choose="weights", weights=[70, 25, 20])
    moved = {
        order_targets(more, views(), user)[0] for user in users if order_targets(more, views(), user)[0] != chosen[user]
    }
    assert moved == {"c"}  # a larger canary gets users, and nobody else moves
    without = {user: order_targets(weighted, views(a={"is_left_out": True}), user)[0] for user in users}
    assert all(without[user] == name for user, name in chosen.items() if name != "a")


def test_a_weight_of_0_gets_nobody() -> None:
    weighted = route(choose="weights", weights=[0, 1, 1])
    assert all("a" not in order_targets(weighted, views(), f"u{number}") for number in range(50))
    only = [view for view in views() if view.name == "a"]
    assert order_targets(weighted, only, "u") == ["a"]


def test_least_busy_is_the_one_with_the_fewest_answers() -> None:
    busy = views(a={"in_flight": 2, "started": 9}, b={"in_flight": 1, "started": 7}, c={"in_flight": 1, "started": 5})
    assert order_targets(route(choose="least_busy"), busy, "u") == ["c", "b", "a"]


def test_cheapest_is_the_lowest_price_among_those_that_are_fast_enough() -> None:
    cheapest = route(choose="cheapest", first_token_seconds=1.0)
    known = views(
        a={"price": 1.0, "first_token_seconds": 2.0},
        b={"price": 3.0, "first_token_seconds": 0.5},
        c={"price": 2.0, "first_token_seconds": 1.0},
    )
    assert order_targets(cheapest, known, "u") == ["c", "b", "a"]
    unknown = views(a={"price": 1.0, "first_token_seconds": 2.0}, b={"price": 3.0})
    assert order_targets(cheapest, unknown, "u") == ["b", "c", "a"]  # no price comes last, no measurement is tried
    assert order_targets(route(choose="cheapest"), known, "u") == ["a", "c", "b"]


# Settings.


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"targets": []}, "needs targets"),
        ({"targets": ["a", "a"]}, "each once"),
        ({"choose": "best"}, "no choice"),
        ({"choose": "weights"}, "0 weights"),
        ({"choose": "weights", "weights": [1, 2]}, "one weight for each"),
        ({"choose": "weights", "weights": [0, 0, 0]}, "all are 0"),
        ({"choose": "weights", "weights": [1, -1, 1]}, "from 0"),
        ({"choose": "weights", "weights": [1, float("nan"), 1]}, "from 0"),
        ({"weights": [1, 1, 1]}, "no effect"),
        ({"first_token_seconds": 1.0}, "no effect"),
        ({"choose": "cheapest", "first_token_seconds": 0}, "above 0"),
        ({"failures": 0}, "above 0"),
        ({"pause_seconds": float("inf")}, "above 0"),
        ({"pause_second": 1}, "Did you mean pause_seconds"),
    ],
)
def test_a_wrong_route_is_told(settings: dict[str, object], words: str) -> None:
    with pytest.raises(NotConfigured, match=words):
        route(**settings)


# What is known of targets, with a simulated clock.


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def fail(states: TargetStates, name: str, error: BackendError | None = None) -> None:
    with suppress(BackendError), states.attempt(name):
        raise error or Unreachable("away")


def succeed(states: TargetStates, name: str) -> None:
    with states.attempt(name) as attempt:
        attempt.succeed()


def test_a_target_that_fails_is_left_out_and_tried_again_by_one_request() -> None:
    clock = Clock()
    states, settings = TargetStates(clock), route(failures=3, pause_seconds=30)
    fail(states, "a")
    fail(states, "a")
    succeed(states, "a")  # only failures in a row count
    fail(states, "a")
    fail(states, "a")
    assert not states.left_out(settings)
    fail(states, "a")
    assert states.left_out(settings) == ["a"]
    clock.seconds += 29.9
    assert states.left_out(settings) == ["a"]
    clock.seconds += 0.2
    assert not states.left_out(settings)
    with states.attempt("a") as attempt:  # the probe: nobody else gets there meanwhile
        assert states.left_out(settings) == ["a"]
        attempt.succeed()
    assert not states.left_out(settings)
    assert not states.view(settings, "a").is_left_out


def test_a_probe_that_fails_begins_a_new_pause_and_one_that_is_cancelled_does_not() -> None:
    clock = Clock()
    states, settings = TargetStates(clock), route(failures=1, pause_seconds=30)
    fail(states, "a")
    clock.seconds += 31
    with suppress(GeneratorExit), states.attempt("a"):
        raise GeneratorExit
    assert not states.left_out(settings)
    fail(states, "a")
    assert states.left_out(settings) == ["a"]
    clock.seconds += 29
    assert states.left_out(settings) == ["a"]


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (Unreachable("x"), True),
        (TimedOut("x"), True),
        (Overloaded("x"), True),
        (NotConfigured("x"), True),
        (Rejected("x", status=401), True),
        (Rejected("x", status=404), True),
        (Rejected("x", status=400), False),
        (Rejected("x", status=422), False),
        (InvalidAnswer("x", text=""), False),
        (ValueError("a bug"), False),
    ],
)
def test_a_request_that_a_target_refuses_is_no_failure_of_it(error: Exception, *, counts: bool) -> None:
    assert is_fault(error) is counts


def test_first_tokens_are_recent_and_enough() -> None:
    clock = Clock()
    states = TargetStates(clock)
    for number in range(20):
        with states.attempt("a") as attempt:
            assert states.view(route(), "a").in_flight == 1
            clock.seconds += 0.1 * (number + 1)
            attempt.first_token()
        assert (states.first_token_p95("a") is None) == (number < 4)
    assert states.first_token_p95("a") == pytest.approx(1.9)
    assert states.view(route(), "a").in_flight == 0
    assert states.view(route(), "a").started == 20
    clock.seconds += RECENT_SECONDS
    assert states.first_token_p95("a") is None


def test_a_filter_that_withholds_an_answer_is_no_fault_of_its_target() -> None:
    for has_output in (False, True):
        failure = finish_failure("content_filter", has_output)
        assert failure and not is_fault(failure)
        assert not is_fault(refusal("I'd rather not.", has_output))
    assert is_fault(Interrupted("broken"))


# Plans.

CATALOG = {
    **{name: {"kind": "openai", "url": f"http://{name}.invalid"} for name in ABC},
    "test": {"kind": "gateway.routing", "choose": "weights", "targets": ["a", "b"], "weights": [1, 1]},
    "random": {
        "kind": "gateway.routing",
        "choose": "weights",
        "targets": ["a", "b"],
        "weights": [1, 1],
        "sticky": False,
    },
    "spare": {"kind": "fallback", "targets": ["c", "test", "a"]},
    "cheap": {"kind": "gateway.routing", "choose": "cheapest", "targets": ABC, "label": "Cheapest"},
    "one": {"kind": "gateway.routing", "targets": ["two"]},
    "two": {"kind": "gateway.routing", "targets": ["one"]},
    "wrong": {"kind": "gateway.routing", "targets": []},
}


@pytest.fixture
def router() -> Router:
    return Router(Catalog(CATALOG, source="catalog.toml"), TargetStates(Clock()))


def test_another_catalogue_has_other_answers() -> None:
    """Also with a value that JSON doesn't have."""
    entry = {"kind": "openai", "url": "http://a.invalid", "since": datetime(2026, 11, 29, tzinfo=UTC)}
    scopes = {
        Router(Catalog({"a": {**entry, "model": model}}, source=""), TargetStates()).plan("a").scope
        for model in ("x", "y", "y")
    }
    assert len(scopes) == 2


def test_another_value_of_a_variable_has_other_answers_and_another_key_has_not() -> None:
    entry = {"kind": "openai", "url": "${URL}", "model": "${MODEL:-x}", "api_key": "${KEY}"}

    def scope(**environment: str) -> str:
        catalog = Catalog({"a": entry}, source="", environment={"URL": "http://a.invalid", **environment})
        return Router(catalog, TargetStates()).plan("a").scope

    assert scope(KEY="1") == scope(KEY="2", MODEL="x")
    assert len({scope(KEY="1"), scope(KEY="1", MODEL="y"), scope(KEY="1", URL="http://a.invalid?v=2"), scope()}) == 3
    assert Router(Catalog({"a": entry}, source="", environment={}), TargetStates()).plan("a").scope  # unavailable


def test_a_target_is_its_own_plan(router: Router) -> None:
    assert router.plan("a").targets == ("a",)


def test_a_user_of_a_test_stays_and_shares_answers_only_with_those_of_the_same_target(router: Router) -> None:
    plans = {router.plan("test", f"user{number}") for number in range(50)}
    assert {plan.targets for plan in plans} == {("a", "b"), ("b", "a")}
    assert len({plan.scope for plan in plans}) == 2
    assert len({router.plan("test", "me").targets for _ in range(50)}) == 1
    assert len({router.plan("test").targets for _ in range(50)}) == 2  # nobody known: another one each time
    assert len({router.plan("random", "me").targets for _ in range(50)}) == 2


def test_a_route_can_be_a_target_of_another(router: Router) -> None:
    plan = router.plan("spare", "me")
    assert plan.targets[0] == "c"
    assert sorted(plan.targets) == ABC
    assert plan.scope == router.plan("spare", "you").scope


def test_the_price_is_asked_for_each_target(router: Router) -> None:
    assert router.plan("cheap", price={"a": 3.0, "b": 1.0}.get).targets == ("b", "a", "c")


def test_routes_that_form_a_loop_or_are_wrong_are_told(router: Router) -> None:
    with pytest.raises(NotConfigured, match="one → two → one"):
        router.plan("one")
    assert router.plan("wrong").targets == ("wrong",)  # to connect to it has the error
    with pytest.raises(NotConfigured, match="needs targets"):
        Catalog(CATALOG, source="catalog.toml").connect("wrong")


def test_the_targets_that_are_left_out_are_listed(router: Router) -> None:
    for _ in range(3):
        fail(router.states, "b")
    assert router.left_out() == ["b"]
