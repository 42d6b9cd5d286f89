"""The list of targets, each with its state now."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fastapi import Depends, FastAPI, Request

from backends.token_prices import PerToken
from gateway.billing.prices import PerHour
from gateway.service import Gateway
from gateway.targets import GatewayTarget
from inference.formats.models import model_card


def add_model_routes(app: FastAPI, gateway: Gateway, authorize: Any) -> None:
    """Add the routes of the list and of one target."""

    @app.get("/v1/models", dependencies=[Depends(authorize)])
    async def models(request: Request) -> dict[str, Any]:
        """The targets that the key may use, each with its state; this asks no target."""
        key, parts = request.state.key, gateway.ready()
        targets = [target for target in parts.targets.by_name.values() if key.may_use(target.name)]
        left_out = parts.router.left_out()
        return {"object": "list", "data": [_card(target, left_out) for target in targets]}

    @app.get("/v1/models/{name:path}", dependencies=[Depends(authorize)])
    async def model(request: Request, name: str) -> dict[str, Any]:
        """One target."""
        parts = gateway.ready()
        return _card(parts.target_of(request.state.key, name), parts.router.left_out())


def _card(target: GatewayTarget, left_out: Collection[str]) -> dict[str, Any]:
    """Return a target's entry in the list of models."""
    price = target.price
    tokens = {"input": price.usd_input, "output": price.usd_output} if isinstance(price, PerToken) else None
    state, reason = "configured", ""
    if target.unavailable:
        state, reason = "unavailable", str(target.unavailable)
    elif target.name in left_out:
        state, reason = "left_out", "Its last requests failed: routes leave it out until one that tries it works."
    return {
        **model_card(target.name),
        "task": target.task,
        "state": state,
        "reason": reason,
        "usd_per_million_tokens": tokens,
        "usd_per_hour": price.usd_hour if isinstance(price, PerHour) else None,
    }
