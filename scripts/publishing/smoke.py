"""Calls the published Space once, as a visitor's program would."""

from __future__ import annotations

from typing import Any

from publishing.errors import SpaceFailed
from publishing.hub import Hub, translated


def smoke(hub: Hub, repo: str) -> str:
    """Ask the Space's own API for what it can do; its first example endpoint must be there."""
    from gradio_client import Client

    with translated(f"the address of {repo}"):
        info = hub.api.space_info(repo)
    address = info.host or f"https://{info.subdomain}.hf.space"
    try:
        client = Client(address, verbose=False, token=hub.api.token if info.private else None)
        told: Any = client.view_api(return_format="dict", print_info=False)
    except Exception as error:
        raise SpaceFailed(
            f"{repo} runs, but its API does not answer ({type(error).__name__}).", "Open its page and look at its log."
        ) from None
    named = dict(told or {}).get("named_endpoints", {})
    if not named:
        raise SpaceFailed(f"{repo} runs, but offers no endpoint.", "Look at its log.")
    return next(iter(named))
