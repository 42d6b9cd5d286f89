"""A Kubernetes cluster as kubectl reaches it: the kubeconfig's identity, a Service's pods, and ways to them.

Everything here may block, so it is called in a thread.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backends.errors import NotConfigured, Overloaded, Unreachable
from backends.http.network import Network
from backends.kubernetes.errors import WAIT, refused, said
from backends.text import one_line

TIMES = (5.0, 15.0)  # seconds to connect to the API server, and for its answer


@dataclass(frozen=True, slots=True)
class Pod:
    """One ready pod of a Service, and the number of the port that the Service leads to."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class Pods:
    """A Service's pods: how many there are, and those that are ready."""

    total: int
    ready: tuple[Pod, ...]


class Cluster:
    """One context of a kubeconfig; `namespace` is its own unless one is named."""

    def __init__(self, kubeconfig: str | None, context: str | None, namespace: str | None) -> None:
        self._kubeconfig, self._context, self._namespace = kubeconfig, context, namespace

    @property
    def namespace(self) -> str:
        return self._namespace or self._own_namespace

    @property
    def url(self) -> str:
        """Where the API server answers."""
        return str(self._configuration.host).rstrip("/")

    def token(self) -> str | None:
        """The bearer token as it is now, if that is how this identity signs in."""
        with self._translated():
            told = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return str(told).removeprefix("Bearer ") if told else None

    @cached_property
    def network(self) -> Network:
        """The way to the API server: its certificate, ours, and a proxy."""
        told = self._configuration
        trusted = ssl.create_default_context(cafile=told.ssl_ca_cert)
        if told.cert_file:
            trusted.load_cert_chain(told.cert_file, told.key_file)
        if not told.verify_ssl:
            trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE
        return Network(tls=trusted, proxy=told.proxy)

    def port(self, service: str, wanted: int | str | None) -> dict[str, Any]:
        """The port of a Service that is meant: by its number, its name, or because there is no other."""
        from kubernetes.client import CoreV1Api

        with self._translated():
            found = CoreV1Api(self._api).read_namespaced_service(service, self.namespace, _request_timeout=TIMES)
        ports = [{"name": port.name or "", "port": port.port} for port in (found.spec and found.spec.ports) or []]
        meant = [port for port in ports if wanted in (None, port["name"], port["port"])]
        if len(meant) != 1:
            told = ", ".join(
                f"{port['port']} ({port['name']})" if port["name"] else str(port["port"]) for port in ports
            )
            what = (
                f"The Service {service} has no port {wanted}."
                if wanted
                else f"The Service {service} has several ports."
            )
            raise NotConfigured(what, f"Set port to one of: {told or 'it has none'}.")
        return meant[0]

    def pods(self, service: str, port: str) -> Pods:
        """The pods behind the port of that name, from the Service's EndpointSlices."""
        from kubernetes.client import DiscoveryV1Api

        selector = f"kubernetes.io/service-name={service}"
        with self._translated():
            slices = DiscoveryV1Api(self._api).list_namespaced_endpoint_slice(
                self.namespace, label_selector=selector, _request_timeout=TIMES
            )
        # A pod with two addresses is in two slices.
        ready: dict[str, Pod] = {}
        every: set[str] = set()
        for each in slices.items:
            number = next((found.port for found in each.ports or [] if (found.name or "") == port), None)
            for endpoint in each.endpoints or []:
                name = str(endpoint.target_ref.name if endpoint.target_ref else endpoint.addresses[0])
                every.add(name)
                # What is not told is ready; what terminates is not.
                if number and (endpoint.conditions is None or endpoint.conditions.ready is not False):
                    ready[name] = Pod(name, number)
        return Pods(len(every), tuple(ready.values()))

    def forwarded(self, service: str, port: int | str | None) -> socket.socket:
        """A socket that leads to a ready pod of the Service: another each time, so that one that is gone is left."""
        from kubernetes.client import CoreV1Api
        from kubernetes.stream import portforward

        pods = self.pods(service, self.port(service, port)["name"])
        if not pods.ready:
            raise no_pod(service, self.namespace, pods.total)
        pod = random.choice(pods.ready)  # noqa: S311  # no secret hangs on it
        with self._translated():
            opened = portforward(
                CoreV1Api(self._api).connect_get_namespaced_pod_portforward,
                pod.name,
                self.namespace,
                ports=str(pod.port),
                _request_timeout=TIMES[0],
            )
        # The bare socket: what it is wrapped in, asyncio does not know.
        found: socket.socket = opened.socket(pod.port)._socket
        return found

    @cached_property
    def _configuration(self) -> Any:
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException, load_kube_config
        from yaml import YAMLError

        made = Configuration()
        made.retries = False
        try:
            load_kube_config(self._kubeconfig, self._context, made)  # type: ignore[no-untyped-call]
        except (ConfigException, YAMLError, ValueError) as error:
            where = self._kubeconfig or "KUBECONFIG or ~/.kube/config"
            remedy = (
                "Set kubeconfig and context in the target, or sign in to the cluster; kubectl cluster-info shows it."
            )
            raise NotConfigured(f"The kubeconfig ({where}) cannot be used: {one_line(str(error))}.", remedy) from error
        return made

    @cached_property
    def _api(self) -> Any:
        from kubernetes.client import ApiClient

        return ApiClient(self._configuration)

    @cached_property
    def _own_namespace(self) -> str:
        from kubernetes.config import ConfigException, list_kube_config_contexts

        with contextlib.suppress(ConfigException):
            contexts, active = list_kube_config_contexts(self._kubeconfig)  # type: ignore[no-untyped-call]
            named = [each for each in contexts if each["name"] == self._context]
            chosen = named[0] if named else active
            return str(chosen["context"].get("namespace") or "default")
        return "default"

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        from kubernetes.client.exceptions import ApiException
        from kubernetes.config import ConfigException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ApiException as error:
            raise refused(*said(error.status, error.body, error.reason), self.namespace) from error
        except ConfigException as error:
            raise NotConfigured(f"The cluster gives no identity ({error}).", "Sign in to it again.") from error
        except (HTTPError, OSError) as error:
            what = f"The cluster's API server at {self.url} is not answering ({type(error).__name__})."
            raise Unreachable(what, "Check the context and the network: kubectl cluster-info.") from error


def no_pod(service: str, namespace: str, total: int) -> Overloaded:
    """The error of a Service that nobody stands behind now."""
    what = (
        f"None of the {total} pods of the Service {service} is ready."
        if total
        else f"The Service {service} has no pods."
    )
    remedy = f"See why: kubectl get pods,endpointslices --namespace {namespace}"
    return Overloaded(what, remedy, retry_after=WAIT)
