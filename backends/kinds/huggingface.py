"""Inference Providers: models that the Hugging Face Hub routes to, behind one OpenAI-compatible address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backends.chat.settings import ChatSettings
from backends.errors import BackendError, NotConfigured, Rejected
from backends.http.client import get_json, post_json
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import response_error
from backends.hub.visitor_token import SIGN_IN_AGAIN, visitor_token
from backends.kinds.openai import OpenAIBackend, base_url, model_cards
from backends.settings import read_settings, require_package
from backends.types import Backend, Health
from backends.vectors.checks import check_scores, check_vectors, invalid
from backends.vectors.types import Embeddings

ACCOUNTS = ("operator", "visitor")


@dataclass(frozen=True, slots=True)
class Settings(ChatSettings):
    """`model` is a Hub id; `provider` is a provider's name, `fastest` or `cheapest`; by default the Hub chooses.

    `account` says whose quota is used: that of `api_key` ("operator"), or of who is signed in on the page ("visitor").
    """

    model: str
    provider: str | None = None
    api_key: str | None = None
    url: str | None = None
    account: str = "operator"


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client with the token from `api_key`, HF_TOKEN or `hf auth login`, or the visitor's; makes no request yet."""
    require_package("huggingface_hub", extra="huggingface")
    from huggingface_hub import constants, get_token

    options = read_settings(Settings, settings)
    if options.account not in ACCOUNTS:
        raise NotConfigured(f"account is {options.account!r}.", f"Use one of: {', '.join(ACCOUNTS)}.")
    visitor = options.account == "visitor"
    token = None if visitor else options.api_key or get_token()
    if not (token or visitor):
        raise NotConfigured(
            "There is no Hugging Face token.",
            "Set HF_TOKEN to one that may call Inference Providers (huggingface.co/settings/tokens).",
        )
    router = options.url or constants.INFERENCE_PROXY_TEMPLATE.format(provider="v1")
    endpoint = Endpoint(base_url(router), token, *options.timeouts, name="Hugging Face", network=options.network)
    # A url of one's own, such as an Inference Endpoint, has /embeddings and /rerank instead of pipelines.
    models = None if options.url else f"{constants.INFERENCE_PROXY_TEMPLATE.format(provider='hf-inference')}/models"
    backend = VisitorAccountBackend if visitor else HuggingFaceBackend
    more: dict[str, Any] = {"parameters": options.parameters, "reasoning": options.marks}
    return backend(endpoint, options.model, options.provider, models_url=models, **more)


class HuggingFaceBackend(OpenAIBackend):
    """Streams through the Hub's router, which takes the provider as a suffix of the model's name."""

    def __init__(
        self, endpoint: Endpoint, model: str, provider: str | None = None, *, models_url: str | None = None, **more: Any
    ) -> None:
        super().__init__(endpoint, model=f"{model}:{provider}" if provider else model, **more)
        self._id, _, suffix = model.partition(":")
        self._provider = provider or suffix
        self._models_url = models_url
        if models_url:  # the router's providers send thoughts apart from the answer
            self._opened = None

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

    async def _embed_batch(self, texts: Sequence[str]) -> Embeddings:
        if self._models_url is None:
            return await super()._embed_batch(texts)
        document = await self._run_pipeline("feature-extraction", list(texts))
        return Embeddings(check_vectors(document, len(texts)))

    async def _rerank_batch(self, query: str, texts: Sequence[str]) -> list[float]:
        if self._models_url is None:
            return await super()._rerank_batch(query, texts)
        inputs = {"source_sentence": query, "sentences": list(texts)}
        document = await self._run_pipeline("sentence-similarity", inputs)
        if not isinstance(document, list):
            raise invalid("no list of scores")
        return check_scores(document, len(texts))

    async def _run_pipeline(self, task: str, inputs: Any) -> Any:
        """Return what a pipeline of the Hub's own provider makes of `inputs`."""
        endpoint = replace(await self._current_endpoint(), url=f"{self._models_url}/{self._id}", public_path=True)
        return await post_json(endpoint, f"/pipeline/{task}", {"inputs": inputs}, self.make_error)


class VisitorAccountBackend(HuggingFaceBackend):
    """Streams with the token of the visitor who asks; `check` needs none, because the list of models is public."""

    def __init__(self, endpoint: Endpoint, model: str, provider: str | None = None, **more: Any) -> None:
        super().__init__(endpoint, model, provider, **more)
        self.make_error = _visitor_error

    async def _current_endpoint(self) -> Endpoint:
        return replace(self.endpoint, api_key=visitor_token())


def _visitor_error(endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
    """The error for a visitor, who can sign in again or look at their account, but can't change the catalogue."""
    error = response_error(endpoint, status, headers, content)
    if status == 401:
        return Rejected("Hugging Face doesn't accept your sign-in any more (401).", SIGN_IN_AGAIN, status=status)
    if status == 403:
        return Rejected(error.message, "Sign in again and allow calls to Inference Providers.", status=status)
    if status == 402:
        return Rejected(error.message, "Your own account pays: see huggingface.co/settings/billing.", status=status)
    return error
