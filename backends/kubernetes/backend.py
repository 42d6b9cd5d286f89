"""A model behind a Kubernetes Service: by its name from a pod, through the API server from anywhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from backends.errors import BackendError, NotConfigured, Rejected
from backends.http.endpoint import Endpoint
from backends.http.errors import response_error
from backends.http.network import Network
from backends.kubernetes.cluster import Cluster, no_pod
from backends.kubernetes.errors import refused, status_of
from backends.openai import OpenAIBackend
from backends.settings import read_settings, require_package
from backends.types import Backend, Health

WAYS = ("dns", "proxy", "forward")


@dataclass(frozen=True, slots=True)
class Settings:
    """`service` with its `port`, a number or a name, which may be left out where there is one and `via` is not "dns".

    `via` is "dns" (from a pod: the Service's name), "proxy" (the API server passes requests on) or "forward" (it
    forwards a port of a pod, as kubectl does). Left out it is "dns" in a pod, else "proxy", or "forward" with an
    `api_key`, since the API server keeps that header to itself. `kubeconfig`, `context` and `namespace` are those of
    kubectl if they are left out; from a pod, the namespace is the pod's own. `window` is the model's, in tokens.
    """

    service: str
    port: int | str | None = None
    namespace: str | None = None
    via: str | None = None
    kubeconfig: str | None = None
    context: str | None = None
    path: str = "/v1"
    model: str | None = None
    api_key: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    window: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the Service; nothing is sent, and no kubeconfig is read, before the first request."""
    chosen = read_settings(Settings, settings)
    in_pod = "KUBERNETES_SERVICE_HOST" in os.environ
    via = chosen.via or ("dns" if in_pod else "forward" if chosen.api_key else "proxy")
    if via not in WAYS:
        raise NotConfigured(f"There is no way {via!r}.", f"Set via to one of: {', '.join(WAYS)}.")
    if via == "dns":
        return _by_name(chosen)
    if via == "proxy" and chosen.api_key:
        raise NotConfigured("The API server's proxy passes no key on to the pod.", 'Set via = "forward".')
    require_package("kubernetes", extra="kubernetes")
    return ServiceBackend(replace(chosen, via=via))


def _by_name(chosen: Settings) -> OpenAIBackend:
    """The Service as the cluster's DNS knows it; without a namespace, that of the pod."""
    if not isinstance(chosen.port, int):
        raise NotConfigured("A Service's name says nothing of its port.", "Set port to a number.")
    host = f"{chosen.service}.{chosen.namespace}.svc" if chosen.namespace else chosen.service
    remedy = f"See whether the Service is there and its pods are ready: kubectl get endpointslices,pods{_named(chosen)}"
    return OpenAIBackend(
        _endpoint(chosen, f"http://{host}:{chosen.port}{chosen.path}", unreachable_remedy=remedy),
        model=chosen.model,
        context=chosen.window,
        extra_body=chosen.extra_body,
    )


def _named(chosen: Settings) -> str:
    return f" --namespace {chosen.namespace}" if chosen.namespace else ""


def _endpoint(chosen: Settings, url: str, **more: Any) -> Endpoint:
    what = f"The Service {chosen.service}"
    times = chosen.connect_timeout, chosen.read_timeout
    return Endpoint(url, chosen.api_key or None, *times, name=what, public_path=True, **more)


class ServiceBackend(OpenAIBackend):
    """A Service reached from outside of its cluster, with the identity that kubectl uses."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster = Cluster(settings.kubeconfig, settings.context, settings.namespace)
        self._found: Endpoint | None = None
        endpoint = _endpoint(settings, f"http://{settings.service}{settings.path}")
        super().__init__(endpoint, model=settings.model, context=settings.window, extra_body=settings.extra_body)
        self.make_error = self._refused

    async def check(self) -> Health:
        """Ask which pods are ready, then what they serve."""
        chosen, cluster = self._settings, self._cluster
        try:
            port = await asyncio.to_thread(cluster.port, chosen.service, chosen.port)
            pods = await asyncio.to_thread(cluster.pods, chosen.service, port["name"])
        except Rejected as error:
            if error.status != 403:
                raise
            ready = f"how many pods are ready is not shown: {error.remedy}"  # it may be asked all the same
        else:
            if not pods.ready:
                raise no_pod(chosen.service, cluster.namespace, pods.total)
            ready = f"{len(pods.ready)} of {pods.total} pods ready"
        return replace(await super().check(), detail=ready)

    async def _current_endpoint(self) -> Endpoint:
        if self._settings.via == "proxy":
            return await asyncio.to_thread(self._proxied)
        if self._found is None:
            dial = partial(self._cluster.forwarded, self._settings.service, self._settings.port)
            self._found = replace(self.endpoint, network=Network(dial=dial))
        return self._found

    def _proxied(self) -> Endpoint:
        """The Service as the API server shows it, with a token that is valid now."""
        chosen, cluster = self._settings, self._cluster
        if self._found is None:
            port = chosen.port or cluster.port(chosen.service, None)["port"]
            way = f"/api/v1/namespaces/{cluster.namespace}/services/http:{chosen.service}:{port}/proxy{chosen.path}"
            remedy = "Check the context and the network: kubectl cluster-info."
            self._found = _endpoint(chosen, cluster.url + way, network=cluster.network, unreachable_remedy=remedy)
        return replace(self._found, api_key=cluster.token())

    def _refused(
        self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes
    ) -> BackendError:
        """The API server's refusal, or that of the pod behind it."""
        if status_of(content) is None:
            return response_error(endpoint, status, headers, content)
        return refused(status, endpoint.redact(content.decode("utf-8", "replace")), self._cluster.namespace)
