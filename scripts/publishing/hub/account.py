"""What an account may create on the Hub, and the hardware of a new Space for which none is named.

The rules are the Hub's since July 2026: https://huggingface.co/docs/hub/spaces-overview and spaces-zerogpu. The Hub
decides: what is said here goes into the plan, and nothing is refused for it.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from huggingface_hub import SpaceHardware

from backends.hub.client import Hub, translate_errors
from backends.hub.errors import HubError

ZERO_GPU, CPU_BASIC = "zero-a10g", "cpu-basic"
ZERO_GPU_LIMIT = "two ZeroGPU Spaces, if its email is verified and it's older than 30 days"


class Subscription(Enum):
    """Whether an account may create Spaces that need a paid plan."""

    FREE = "free"
    PAID = "paid"
    UNKNOWN = "unknown"


def subscription(hub: Hub, owner: str) -> Subscription:
    """Return what the Hub says about the plan of an account or an organisation of the token's account."""
    try:
        account = hub.whoami()
    except HubError:  # without a token, or with one of a trusted publisher
        return Subscription.UNKNOWN
    if str(account.get("name")) == owner and account.get("type", "user") == "user":
        is_pro = account.get("isPro")
        return Subscription.UNKNOWN if is_pro is None else Subscription.PAID if is_pro else Subscription.FREE
    organisations = [each for each in account.get("orgs") or [] if each.get("name") == owner]
    return _of_organisation(organisations[0]) if organisations else Subscription.UNKNOWN


def propose_hardware(plan: Subscription, owner: str, sdk: str, named: str | None) -> tuple[str | None, str]:
    """Return the hardware to ask for, None for the Hub's default, and a line for the plan that says why."""
    if sdk == "static":
        return None, "a static Space has no hardware: it's free for everybody"
    default = named in (None, CPU_BASIC)
    if plan is Subscription.FREE and sdk == "gradio" and named is None:
        return ZERO_GPU, f"hardware {ZERO_GPU}, because {owner} is a free account: it may have {ZERO_GPU_LIMIT}"
    if plan is Subscription.FREE and named != ZERO_GPU:
        kind = "Docker" if sdk == "docker" else "Gradio"
        return named, (
            f"the Hub will refuse this (402): {owner} is a free account, and a {kind} Space on {named or CPU_BASIC} "
            f"needs PRO. Free are a Gradio Space with --hardware {ZERO_GPU}, and static Spaces"
        )
    if plan is Subscription.UNKNOWN and default and sdk == "gradio":
        return named, f"hardware {CPU_BASIC}, which needs PRO or a paid organisation; else pass --hardware {ZERO_GPU}"
    return named, f"hardware {named or CPU_BASIC}"


def describe_hardware(hub: Hub, name: str) -> str:
    """Return what a machine of this name is and costs, or "" if the Hub doesn't say; `HubError` if there is none."""
    try:
        with translate_errors("the list of hardware"):
            offers = {each.name: each for each in hub.api.list_spaces_hardware()}
    except HubError:  # it is asked for again when it is applied
        return ""
    known = {*offers, *(each.value for each in SpaceHardware)}
    if name not in known:
        raise HubError(f"The Hub has no hardware {name!r}.", f"Choose one of: {', '.join(sorted(known))}.")
    if name not in offers:  # the list may be without ZeroGPU, which isn't paid by the hour
        return ""
    offer = offers[name]
    accelerator = f", {offer.accelerator.quantity} × {offer.accelerator.model}" if offer.accelerator else ""
    cost = f"{offer.unit_cost_usd:g} USD per {offer.unit_label}" if offer.unit_cost_usd else "free of charge"
    return f"{name}: {offer.cpu}, {offer.ram}{accelerator}, {cost}"


def refused_creation(error: HubError, sdk: str, hardware: str | None) -> HubError:
    """Return the error of a Space that the Hub doesn't create for this account, with what to do instead."""
    if error.status != 402:
        return error
    if sdk == "docker":
        remedy = "A Docker Space needs PRO, or a paid organisation: pass --owner."
    elif hardware == ZERO_GPU:
        remedy = (
            f"A free account may have {ZERO_GPU_LIMIT}. Delete one of them, subscribe to PRO, or pass --owner with a "
            "paid organisation."
        )
    else:
        remedy = f"Free accounts: run the command again with --hardware {ZERO_GPU}. {CPU_BASIC} needs PRO."
    return HubError(error.message, f"Nothing was created. {remedy}", status=402)


def refused_hardware(error: HubError, hardware: str) -> HubError:
    """Return the error of hardware that an existing Space doesn't get."""
    if error.status not in (402, 403):
        return error
    remedy = f"Run the command again without --hardware {hardware} to keep the one that it has, or change your plan."
    return HubError(error.message, f"Nothing was changed. {remedy}", status=error.status)


def _of_organisation(organisation: dict[str, Any]) -> Subscription:
    plan = organisation.get("plan")
    if organisation.get("isEnterprise") or (plan and plan != "free"):
        return Subscription.PAID
    return Subscription.FREE if plan == "free" else Subscription.UNKNOWN
