"""Which targets of a route get a request, in which order: pure functions of what is known of the targets."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.routing.settings import RouteSettings


@dataclass(frozen=True, slots=True)
class View:
    """What a choice knows of a target: its answers in progress and so far, its recent first tokens, and its price.

    `first_token_seconds` is the 95th percentile, or None if there are too few. `price` is that of the request.
    """

    name: str
    in_flight: int = 0
    started: int = 0
    first_token_seconds: float | None = None
    price: float | None = None
    is_left_out: bool = False


def order_targets(route: RouteSettings, views: Sequence[View], user: str) -> list[str]:
    """The targets that may answer, the first choice first; `views` has the targets of the route in its order.

    A target that is left out is none of them, unless all are: a request that may fail is better than none.
    """
    weights = dict(zip(route.targets, route.weights or [], strict=False))
    usable = [view for view in views if not view.is_left_out] or list(views)
    if route.choose == "weights":
        usable = [view for view in usable if weights[view.name]] or usable
        usable.sort(key=lambda view: _score(user, view.name, weights[view.name]), reverse=True)
    elif route.choose == "least_busy":
        usable.sort(key=lambda view: (view.in_flight, view.started))
    elif route.choose == "cheapest":
        usable.sort(key=lambda view: _cost_rank(route, view))
    return [view.name for view in usable]


def _score(user: str, name: str, weight: float) -> float:
    """The target's score for a user: each target is the highest for its share of the users.

    This is weighted rendezvous hashing: when a weight grows, users only move to that target, and if a target is left
    out, only its own users move.
    """
    digest = hashlib.blake2b(f"{name}\0{user}".encode(errors="surrogatepass"), digest_size=8).digest()
    share = (int.from_bytes(digest) + 1) / (2**64 + 2)  # above 0 and below 1
    return -weight / math.log(share)


def _cost_rank(route: RouteSettings, view: View) -> tuple[bool, float, float]:
    """Sort targets that are fast enough by price, then the others by speed; one without measurements is measured."""
    price = math.inf if view.price is None else view.price
    seconds, limit = view.first_token_seconds, route.first_token_seconds
    if seconds is None or limit is None or seconds <= limit:
        return False, price, seconds or 0.0
    return True, seconds, price
