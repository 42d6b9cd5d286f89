"""Inference Providers: models that the Hugging Face Hub routes to, behind one OpenAI-compatible address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.errors import NotConfigured, Rejected
from backends.http.client import get_json
from backends.http.endpoint import Endpoint
from backends.http.settings import HttpSettings
from backends.openai import OpenAIBackend, base_url, model_cards
from backends.settings import read_settings, require_package
from backends.types import Backend, Health


@dataclass(frozen=True, slots=True)
class Settings(HttpSettings):
    """`model` is a Hub id; `provider` is a provider's name, `fastest` or `cheapest`; by default the Hub chooses."""

    model: str
    provider: str | None = None
    api_key: str | None = None
    url: str | None = None


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client with the token from `api_key`, HF_TOKEN or `hf auth login`; makes no request yet."""
    require_package("huggingface_hub", extra="huggingface")
    from huggingface_hub import constants, get_token

    options = read_settings(Settings, settings)
    token = options.api_key or get_token()
    if not token:
        raise NotConfigured(
            "There is no Hugging Face token.",
            "Set HF_TOKEN to one that may call Inference Providers (huggingface.co/settings/tokens).",
        )
    router = options.url or constants.INFERENCE_PROXY_TEMPLATE.format(provider="v1")
    endpoint = Endpoint(base_url(router), token, *options.timeouts, name="Hugging Face")
    return HuggingFaceBackend(endpoint, options.model, options.provider)


class HuggingFaceBackend(OpenAIBackend):
    """Streams through the Hub's router, which takes the provider as a suffix of the model's name."""

    def __init__(self, endpoint: Endpoint, model: str, provider: str | None = None) -> None:
        super().__init__(endpoint, model=f"{model}:{provider}" if provider else model)
        self._id, _, suffix = model.partition(":")
        self._provider = provider or suffix

    async def check(self) -> Health:
        """Ask whether the router lists the model, and which providers serve it."""
        cards = model_cards(await get_json(self.endpoint, "/models"))
        card = next((card for card in cards if card.get("id") == self._id), None)
        if card is None:
            raise Rejected(
                f"No provider serves {self._id!r}.",
                "Choose one from huggingface.co/models?inference_provider=all.",
                status=404,
            )
        live = [offer for offer in card.get("providers") or [] if offer.get("status", "live") == "live"]
        offers = [offer for offer in live if offer.get("provider") == self._provider] or live
        windows = [offer["context_length"] for offer in offers if offer.get("context_length")]
        names = ", ".join(str(offer.get("provider")) for offer in offers)
        return Health(self._id, min(windows, default=None), f"served by {names}" if names else "")
