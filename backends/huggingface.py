"""Inference Providers: models that the Hugging Face Hub routes to, behind one OpenAI-compatible address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.errors import NotConfigured, Rejected
from backends.http import client as http
from backends.openai import OpenAIBackend, base_url, model_cards
from backends.settings import read_settings, require
from backends.types import Backend, Health


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` is a Hub id; `provider` the one that serves it, or `fastest` or `cheapest`; else the Hub chooses."""

    model: str
    provider: str | None = None
    api_key: str | None = None
    url: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client with the token of `api_key`, HF_TOKEN or `hf auth login`; nothing is sent yet."""
    require("huggingface_hub", extra="huggingface")
    from huggingface_hub import constants, get_token

    chosen = read_settings(Settings, settings)
    token = chosen.api_key or get_token()
    if not token:
        raise NotConfigured(
            "There is no Hugging Face token.",
            "Set HF_TOKEN to one that may call Inference Providers (huggingface.co/settings/tokens).",
        )
    router = chosen.url or constants.INFERENCE_PROXY_TEMPLATE.format(provider="v1")
    endpoint = http.Endpoint(base_url(router), token, chosen.connect_timeout, chosen.read_timeout, what="Hugging Face")
    return HuggingFaceBackend(endpoint, chosen.model, chosen.provider)


class HuggingFaceBackend(OpenAIBackend):
    """Streams through the Hub's router, which takes the provider as a suffix of the model's name."""

    def __init__(self, endpoint: http.Endpoint, model: str, provider: str | None = None) -> None:
        super().__init__(endpoint, model=f"{model}:{provider}" if provider else model)
        self._id, _, suffix = model.partition(":")
        self._provider = provider or suffix

    async def check(self) -> Health:
        """Ask whether the router lists the model, and who serves it."""
        cards = model_cards(await http.get_json(self.endpoint, "/models"))
        card = next((card for card in cards if card.get("id") == self._id), None)
        if card is None:
            raise Rejected(
                f"No provider serves {self._id!r}.",
                "Choose one from huggingface.co/models?inference_provider=all.",
                status=404,
            )
        serving = [offer for offer in card.get("providers") or [] if offer.get("status", "live") == "live"]
        named = [offer for offer in serving if offer.get("provider") == self._provider]
        windows = [offer["context_length"] for offer in named or serving if offer.get("context_length")]
        names = ", ".join(str(offer.get("provider")) for offer in named or serving)
        return Health(self._id, min(windows, default=None), f"served by {names}" if names else "")
