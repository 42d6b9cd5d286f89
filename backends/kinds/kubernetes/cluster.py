"""A Kubernetes cluster with kubectl's configuration: its identity, a Service's ports and pods, and port forwarding.

Every function here may block, so call it in a thread.
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
from urllib.request import getproxies

from backends.errors import NotConfigured, Unreachable
from backends.http.network import Network
from backends.kinds.kubernetes.errors import api_server_error, no_ready_pod, unwrap_handshake
from backends.text import one_line

TIMEOUTS = (5.0, 15.0)  # seconds to connect to the API server, and to wait for its response


@dataclass(frozen=True, slots=True)
class Pod:
    """One ready pod of a Service, and the port number that the Service targets."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class Pods:
    """The number of a Service's pods, and the ready ones."""

    total: int
    ready: tuple[Pod, ...]


class Cluster:
    """One context of a kubeconfig; `namespace` is the context's own by default."""

    def __init__(
        self, kubeconfig: str | None, context: str | None, namespace: str | None, ca: str | None = None
    ) -> None:
        self._kubeconfig, self._context, self._namespace, self._ca = kubeconfig, context, namespace, ca

    @property
    def namespace(self) -> str:
        return self._namespace or self._context_namespace

    @property
    def url(self) -> str:
        """The API server's address."""
        return str(self._configuration.host).rstrip("/")

    def token(self) -> str | None:
        """The current bearer token, or None if this identity uses another method."""
        with self._translate_errors():
            header = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return str(header).removeprefix("Bearer ") if header else None

    @cached_property
    def network(self) -> Network:
        """The API server's certificate, the client certificate, and the proxy."""
        configuration = self._configuration
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        if not configuration.verify_ssl:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        # The client takes the proxy of the environment, too; that one is for hosts that NO_PROXY doesn't name.
        proxy = None if configuration.proxy in getproxies().values() else configuration.proxy
        return Network(tls=context, proxy=proxy)

    def port(self, service: str, port: int | str | None) -> dict[str, Any]:
        """The `name` and number (`port`) of a Service's port, by number or name, or its only port for None."""
        from kubernetes.client import CoreV1Api

        with self._translate_errors():
            spec = CoreV1Api(self._api).read_namespaced_service(service, self.namespace, _request_timeout=TIMEOUTS).spec
        ports = [{"name": each.name or "", "port": each.port} for each in (spec and spec.ports) or []]
        matches = [each for each in ports if port in (None, each["name"], each["port"])]
        if len(matches) != 1:
            raise _port_error(service, port, ports)
        return matches[0]

    def pods(self, service: str, port: str) -> Pods:
        """The pods behind the port named `port`, from the Service's EndpointSlices."""
        from kubernetes.client import DiscoveryV1Api

        selector = f"kubernetes.io/service-name={service}"
        with self._translate_errors():
            slices = DiscoveryV1Api(self._api).list_namespaced_endpoint_slice(
                self.namespace, label_selector=selector, _request_timeout=TIMEOUTS
            )
        # A pod with two addresses is in two slices.
        ready: dict[str, Pod] = {}
        names: set[str] = set()
        for each in slices.items:
            number = next((match.port for match in each.ports or [] if (match.name or "") == port), None)
            for endpoint in each.endpoints or []:
                name = str(endpoint.target_ref.name if endpoint.target_ref else endpoint.addresses[0])
                names.add(name)
                # A missing condition means ready; a terminating pod is not ready.
                if number and (endpoint.conditions is None or endpoint.conditions.ready is not False):
                    ready[name] = Pod(name, number)
        return Pods(len(names), tuple(ready.values()))

    def forward(self, service: str, port: int | str | None) -> socket.socket:
        """A socket to a ready pod of the Service, chosen at random, so that a retry leaves a pod that is gone."""
        from kubernetes.client import CoreV1Api
        from kubernetes.stream import portforward

        pods = self.pods(service, self.port(service, port)["name"])
        if not pods.ready:
            raise no_ready_pod(service, self.namespace, pods.total)
        pod = random.choice(pods.ready)  # noqa: S311  # not a secret
        with self._translate_errors():
            forwarder = portforward(
                CoreV1Api(self._api).connect_get_namespaced_pod_portforward,
                pod.name,
                self.namespace,
                ports=str(pod.port),
                _request_timeout=TIMEOUTS[0],
            )
        # asyncio needs the plain socket inside the client's wrapper.
        sock: socket.socket = forwarder.socket(pod.port)._socket
        return sock

    @cached_property
    def _configuration(self) -> Any:
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException, load_kube_config
        from yaml import YAMLError

        configuration = Configuration()
        configuration.retries = False
        try:
            load_kube_config(self._kubeconfig, self._context, configuration)
        except (ConfigException, YAMLError, ValueError) as error:
            path = self._kubeconfig or "KUBECONFIG or ~/.kube/config"
            raise NotConfigured(
                f"The kubeconfig ({path}) cannot be used: {one_line(str(error))}.",
                "Set kubeconfig and context in the target, or sign in to the cluster; kubectl cluster-info shows it.",
            ) from error
        if self._ca:
            configuration.ssl_ca_cert = self._ca
        return configuration

    @cached_property
    def _api(self) -> Any:
        from kubernetes.client import ApiClient

        return ApiClient(self._configuration)

    @cached_property
    def _context_namespace(self) -> str:
        from kubernetes.config import ConfigException, list_kube_config_contexts

        with contextlib.suppress(ConfigException):
            contexts, active = list_kube_config_contexts(self._kubeconfig)
            context = next((each for each in contexts if each["name"] == self._context), active)
            return str(context["context"].get("namespace") or "default")
        return "default"

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Turn what the Kubernetes client raises into a `BackendError`."""
        from kubernetes.client.exceptions import ApiException
        from kubernetes.config import ConfigException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ApiException as error:
            raise api_server_error(*unwrap_handshake(error.status, error.body, error.reason), self.namespace) from error
        except ConfigException as error:
            raise NotConfigured(
                f"The cluster's credentials can't be loaded ({error}).", "Sign in to it again."
            ) from error
        except (HTTPError, OSError) as error:
            message = f"The cluster's API server at {self.url} is not answering ({type(error).__name__})."
            raise Unreachable(message, "Check the context and the network: kubectl cluster-info.") from error


def _port_error(service: str, port: int | str | None, ports: list[dict[str, Any]]) -> NotConfigured:
    """The error for a port that a Service doesn't have, or has several of."""
    labels = ", ".join(f"{each['port']} ({each['name']})" if each["name"] else str(each["port"]) for each in ports)
    problem = f"no port {port}" if port else "several ports"
    return NotConfigured(f"The Service {service} has {problem}.", f"Set port to one of: {labels or 'it has none'}.")
