"""Streams from a Kubernetes Service: by its DNS name in a pod, through the API server from anywhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from backends.chat.settings import ChatSettings
from backends.errors import BackendError, NotConfigured, Rejected
from backends.http.certificates import trusting
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import response_error
from backends.http.network import Network
from backends.kinds.kubernetes.cluster import Cluster
from backends.kinds.kubernetes.errors import api_server_error, no_ready_pod, read_status
from backends.kinds.openai import OpenAIBackend
from backends.settings import read_settings, require_package
from backends.types import Backend, Health

ROUTES = ("dns", "proxy", "forward")


@dataclass(frozen=True, slots=True)
class Settings(ChatSettings):
    """`service` and its `port`, a number or a name; the port is optional if there is only one and `via` isn't "dns".

    `via` is "dns" (in a pod: the Service's name), "proxy" (the API server forwards each request) or "forward" (the
    API server forwards a port of a pod, as kubectl does). The default is "dns" in a pod, else "proxy", or "forward"
    with an `api_key`, because the API server doesn't pass that header on. `kubeconfig`, `context` and `namespace`
    default to those of kubectl; in a pod, the namespace is the pod's own. `window` is the model's context in tokens.
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
    window: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the Service; makes no request and reads no kubeconfig before the first request."""
    options = read_settings(Settings, settings)
    in_pod = "KUBERNETES_SERVICE_HOST" in os.environ
    via = options.via or ("dns" if in_pod else "forward" if options.api_key else "proxy")
    if via not in ROUTES:
        raise NotConfigured(f"There is no route {via!r}.", f"Set via to one of: {', '.join(ROUTES)}.")
    if via == "dns":
        if options.ca:
            raise NotConfigured("A Service is called by its DNS name without TLS, so ca has no effect.", "Remove it.")
        return _dns_backend(options)
    if options.ca_path:
        trusting(options.ca_path)  # an error now, instead of at the first request
    if via == "proxy" and options.api_key:
        raise NotConfigured("The API server's proxy does not pass the API key on to the pod.", 'Set via = "forward".')
    require_package("kubernetes", extra="kubernetes")
    return ServiceBackend(replace(options, via=via))


def _dns_backend(options: Settings) -> OpenAIBackend:
    """The Service by its DNS name; without a namespace, in the namespace of the pod."""
    if not isinstance(options.port, int):
        raise NotConfigured("DNS doesn't resolve a Service's port.", "Set port to a number.")
    host = f"{options.service}.{options.namespace}.svc" if options.namespace else options.service
    flag = f" --namespace {options.namespace}" if options.namespace else ""
    remedy = f"Check that the Service exists and its pods are ready: kubectl get endpointslices,pods{flag}"
    url = f"http://{host}:{options.port}{options.path}"
    return OpenAIBackend(_endpoint(options, url, unreachable_remedy=remedy), **_model_options(options))


def _model_options(options: Settings) -> dict[str, Any]:
    return {
        "model": options.model,
        "context": options.window,
        "extra_body": options.extra_body,
        "parameters": options.parameters,
        "reasoning": options.marks,
    }


def _endpoint(options: Settings, url: str, **more: Any) -> Endpoint:
    name = f"The Service {options.service}"
    return Endpoint(url, options.api_key or None, *options.timeouts, name=name, public_path=True, **more)


class ServiceBackend(OpenAIBackend):
    """A Service outside of this process's cluster, called with kubectl's identity."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster = Cluster(settings.kubeconfig, settings.context, settings.namespace, settings.ca_path)
        self._cached_endpoint: Endpoint | None = None
        endpoint = _endpoint(settings, f"http://{settings.service}{settings.path}")
        super().__init__(endpoint, **_model_options(settings))
        self.make_error = self._response_error

    async def check(self) -> Health:
        """Ask how many pods are ready, then which model they serve."""
        options, cluster = self._settings, self._cluster
        try:
            port = await asyncio.to_thread(cluster.port, options.service, options.port)
            pods = await asyncio.to_thread(cluster.pods, options.service, port["name"])
        except Rejected as error:
            if error.status != 403:
                raise
            detail = f"not allowed to list the pods: {error.remedy}"  # requests may still be allowed
        else:
            if not pods.ready:
                raise no_ready_pod(options.service, cluster.namespace, pods.total)
            detail = f"{len(pods.ready)} of {pods.total} pods ready"
        return replace(await super().check(), detail=detail)

    async def _current_endpoint(self) -> Endpoint:
        if self._settings.via == "proxy":
            return await asyncio.to_thread(self._proxy_endpoint)
        if self._cached_endpoint is None:
            dial = partial(self._cluster.forward, self._settings.service, self._settings.port)
            self._cached_endpoint = replace(self.endpoint, network=Network(dial=dial))
        return self._cached_endpoint

    def _proxy_endpoint(self) -> Endpoint:
        """The Service behind the API server's proxy, with a valid token."""
        options, cluster = self._settings, self._cluster
        if self._cached_endpoint is None:
            port = options.port or cluster.port(options.service, None)["port"]
            path = f"/api/v1/namespaces/{cluster.namespace}/services/http:{options.service}:{port}/proxy{options.path}"
            remedy = "Check the context and the network: kubectl cluster-info."
            self._cached_endpoint = _endpoint(
                options, cluster.url + path, network=cluster.network, unreachable_remedy=remedy
            )
        return replace(self._cached_endpoint, api_key=cluster.token())

    def _response_error(
        self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes
    ) -> BackendError:
        """The error for a response of the API server, or of the pod behind it."""
        if read_status(content) is None:
            return response_error(endpoint, status, headers, content)
        return api_server_error(status, endpoint.redact(content.decode("utf-8", "replace")), self._cluster.namespace)
