"""Edits that break the manifests, each with the check that must report it."""

from __future__ import annotations

from typing import NamedTuple

from tests.k8s import consistency_checks as consistency
from tests.k8s import lifecycle_checks as lifecycle
from tests.k8s import network_checks as network
from tests.k8s import pod_checks as pods
from tests.k8s import scale_checks as scale
from tests.k8s.checks import Check
from tests.k8s.edits import Edit, add, drop, put, setting
from tests.k8s.objects import get_object


class Fault(NamedTuple):
    """An edit of the rendered `folder`, and the check that must fail after it."""

    description: str
    check: Check
    edit: Edit
    folder: str = "base"


GPU, KEDA, CANARY, SLOTS = "overlays/gpu", "overlays/gpu-keda", "overlays/canary", "overlays/blue-green"
B, D, S, P, H = "PodDisruptionBudget", "Deployment", "Service", "spec.template.spec.", "HorizontalPodAutoscaler"
N, R, ENFORCE = "NetworkPolicy", "HTTPRoute", "pod-security~kubernetes~io/enforce"
C, T = P + "containers.0.", P + "topologySpreadConstraints."

FAULTS = (
    Fault("privileged", pods.pod_security, put(D, "inference", C + "securityContext.privileged", True)),
    Fault(
        "namespace admits any pod",
        pods.pod_security,
        put("Namespace", "spaceport", f"metadata.labels.{ENFORCE}", "baseline"),
    ),
    Fault("root", pods.pod_security, put(D, "chat", P + "securityContext.runAsUser", 0)),
    Fault("no runAsNonRoot", pods.pod_security, drop("StatefulSet", "chroma", P + "securityContext.runAsNonRoot")),
    Fault("no seccomp", pods.pod_security, drop(D, "compare", P + "securityContext.seccompProfile")),
    Fault("added capability", pods.pod_security, put(D, "chat", C + "securityContext.capabilities.add", ["NET_ADMIN"])),
    Fault("writable root", pods.pod_security, put(D, "vllm", C + "securityContext.readOnlyRootFilesystem", False), GPU),
    Fault(
        "init container can escalate", pods.pod_security, drop(D, "vllm", P + "initContainers.0.securityContext"), GPU
    ),
    Fault("host path", pods.pod_security, add(D, "inference", P + "volumes", {"name": "x", "hostPath": {"path": "/"}})),
    Fault("host network", pods.pod_security, put(D, "inference", P + "hostNetwork", True)),
    Fault("API token", pods.injected_data, put(D, "chat", P + "automountServiceAccountToken", True)),
    Fault("token of the account", pods.injected_data, drop("ServiceAccount", "chat", "automountServiceAccountToken")),
    Fault("service links", pods.injected_data, drop(D, "vllm", P + "enableServiceLinks"), GPU),
    Fault("tag latest", pods.image_tags, put(D, "inference", C + "image", "spaceport-inference:latest")),
    Fault("no tag", pods.image_tags, put("StatefulSet", "chroma", C + "image", "chromadb/chroma")),
    Fault("no tag of the init container", pods.image_tags, put(D, "vllm", P + "initContainers.0.image", "x"), GPU),
    Fault("no memory limit", pods.resources, drop(D, "inference", C + "resources.limits.memory")),
    Fault("no CPU request", pods.resources, drop(D, "chat", C + "resources.requests.cpu")),
    Fault("request over limit", pods.resources, put(D, "chat", C + "resources.requests.cpu", "2500m")),
    Fault("unlimited /tmp", pods.resources, put(D, "chat", P + "volumes.1.emptyDir", {})),
    Fault("/tmp over the limit", pods.resources, put(D, "chat", P + "volumes.1.emptyDir.sizeLimit", "5Gi")),
    Fault("shared memory over the limit", pods.resources, put(D, "vllm", C + "resources.limits.memory", "4Gi"), GPU),
    Fault("no readiness", lifecycle.probes, drop(D, "inference", C + "readinessProbe")),
    Fault("no startup", lifecycle.probes, drop("StatefulSet", "chroma", C + "startupProbe")),
    Fault("probe of another port", lifecycle.probes, put(D, "inference", C + "livenessProbe.httpGet.port", "web")),
    Fault("initial delay", lifecycle.probes, put(D, "inference", C + "livenessProbe.initialDelaySeconds", 300)),
    Fault("startup probe too short", lifecycle.probes, put(D, "vllm", C + "startupProbe.failureThreshold", 6), GPU),
    Fault("rollout deadline too short", lifecycle.probes, put(D, "inference", "spec.progressDeadlineSeconds", 120)),
    Fault("grace too short", lifecycle.grace_period, put(D, "inference", P + "terminationGracePeriodSeconds", 30)),
    Fault("preStop too long", lifecycle.grace_period, put(D, "inference", C + "lifecycle.preStop.sleep.seconds", 20)),
    Fault("no preStop", lifecycle.grace_period, drop(D, "inference", C + "lifecycle")),
    Fault("longer drain", lifecycle.grace_period, setting("inference-settings", "SPACEPORT_DRAIN_SECONDS", "60")),
    Fault("longer drain of vLLM", lifecycle.grace_period, put(D, "vllm", C + "args.5", "--shutdown-timeout=55"), GPU),
    Fault("page aborts answers", lifecycle.grace_period, put(D, "chat", C + "lifecycle.preStop.sleep.seconds", 10)),
    Fault("default drain of vLLM", lifecycle.model_drain, drop(D, "vllm", C + "args.5"), GPU),
    Fault(
        "unavailable pods during a rollout",
        lifecycle.rollout,
        put(D, "chat", "spec.strategy.rollingUpdate.maxUnavailable", 1),
    ),
    Fault("available at once", lifecycle.rollout, drop(D, "inference", "spec.minReadySeconds")),
    Fault("no spread over zones", lifecycle.topology_spread, drop(D, "inference", T + "1")),
    Fault("spread is required", lifecycle.topology_spread, put(D, "chat", T + "0.whenUnsatisfiable", "DoNotSchedule")),
    Fault(
        "spread among other pods",
        lifecycle.topology_spread,
        put(D, "chat", T + "0.labelSelector", {"matchLabels": {"app": "x"}}),
    ),
    Fault("volume renamed", pods.mounts, put(D, "chat", P + "volumes.0.name", "files")),
    Fault("no /tmp", pods.mounts, drop(D, "inference", C + "volumeMounts.0")),
    Fault(
        "Secret in the repository",
        pods.secrets,
        lambda objects: objects.append({"kind": "Secret", "metadata": {"name": "x"}}),
    ),
    Fault("unknown Secret", pods.secrets, put(D, "inference", P + "volumes.1.secret.secretName", "keys")),
    Fault("key in the environment", pods.secrets, setting("inference-settings", "SPACEPORT_API_KEY", "hunter2")),
    Fault(
        "key file outside mounts", pods.secrets, setting("page-settings", "SPACEPORT_INFERENCE_KEY_FILE", "/run/key")
    ),
    Fault("ConfigMap renamed", pods.config_maps, put(D, "inference", C + "envFrom.0.configMapRef.name", "settings")),
    Fault("no namespace", consistency.labels, drop(S, "chat", "metadata.namespace")),
    Fault(
        "no labels",
        consistency.labels,
        drop(D, "chat", P.removesuffix("spec.") + "metadata.labels.app~kubernetes~io/component"),
    ),
    Fault("label changed", consistency.selectors, put(D, "inference", "spec.template.metadata.labels.track", "new")),
    Fault(
        "selector matches both releases",
        consistency.selectors,
        drop(D, "inference", "spec.selector.matchLabels.track"),
        CANARY,
    ),
    Fault("Service's selector changed", consistency.services, put(S, "chat", "spec.selector", {"app": "chat"})),
    Fault("Service's port renamed", consistency.services, put(S, "inference", "spec.ports.0.targetPort", "web")),
    Fault("pod's port renamed", consistency.services, put(D, "compare", C + "ports.0.name", "web")),
    Fault("Service selects no slot", consistency.services, put(S, "inference", "spec.selector.slot", "red"), SLOTS),
    Fault(
        "governing Service renamed", consistency.services, put("StatefulSet", "chroma", "spec.serviceName", "vectors")
    ),
    Fault("Gateway renamed", consistency.services, put("Gateway", "models", "metadata.name", "edge"), CANARY),
    Fault("Gateway's port", consistency.services, put("Gateway", "models", "spec.listeners.0.port", 80), CANARY),
    Fault("no affinity", consistency.session_affinity, drop(S, "chat", "spec.sessionAffinity")),
    Fault(
        "affinity too short",
        consistency.session_affinity,
        put(S, "compare", "spec.sessionAffinityConfig.clientIP.timeoutSeconds", 600),
    ),
    Fault("account renamed", consistency.service_accounts, put(D, "inference", P + "serviceAccountName", "default")),
    Fault("HPA's target renamed", scale.autoscaling, put(H, "inference", "spec.scaleTargetRef.name", "server")),
    Fault("HPA and replicas", scale.autoscaling, put(D, "inference", "spec.replicas", 3)),
    Fault("no autoscaler and no replicas", scale.autoscaling, drop(H, "chat")),
    Fault(
        "KEDA and HPA",
        scale.autoscaling,
        lambda objects: objects.append(
            {
                **get_object(objects, H, "chat"),
                "spec": get_object(objects, "ScaledObject", "vllm")["spec"],
                "kind": "ScaledObject",
            }
        ),
        KEDA,
    ),
    Fault("scales to zero", scale.autoscaling, put("ScaledObject", "vllm", "spec.minReplicaCount", 0), KEDA),
    Fault(
        "no stabilization window",
        scale.autoscaling,
        put(H, "inference", "spec.behavior.scaleDown.stabilizationWindowSeconds", 0),
    ),
    Fault("no scaling behaviour", scale.autoscaling, drop(H, "vllm", "spec.behavior"), GPU),
    Fault("budget selects every pod", scale.disruption_budgets, put(B, "chat", "spec.selector", {})),
    Fault("in two budgets", scale.disruption_budgets, drop(B, "inference", "spec.selector.matchLabels.track"), CANARY),
    Fault("no budget", scale.disruption_budgets, drop(B, "chroma")),
    Fault("budget blocks drains", scale.disruption_budgets, put(B, "compare", "spec.maxUnavailable", 0)),
    Fault(
        "scraped twice", consistency.scraping, put(S, "inference", "metadata.labels.spaceport-metrics", "true"), SLOTS
    ),
    Fault("never scraped", consistency.scraping, drop(S, "inference", "metadata.labels.spaceport-metrics")),
    Fault(
        "scrape port renamed",
        consistency.scraping,
        put("ServiceMonitor", "spaceport", "spec.endpoints.0.port", "metrics"),
        GPU,
    ),
    Fault(
        "no release labels on metrics",
        consistency.scraping,
        drop("ServiceMonitor", "spaceport", "spec.podTargetLabels"),
        CANARY,
    ),
    Fault("weights of 110", consistency.routes, put(R, "inference", "spec.rules.0.backendRefs.1.weight", 20), CANARY),
    Fault(
        "route to a missing Service",
        consistency.routes,
        put(R, "inference", "spec.rules.0.backendRefs.1.name", "canary"),
        CANARY,
    ),
    Fault(
        "route to a missing port",
        consistency.routes,
        put(R, "inference", "spec.rules.0.backendRefs.0.port", 80),
        CANARY,
    ),
    Fault(
        "route with a missing Gateway",
        consistency.routes,
        put(R, "inference", "spec.parentRefs.0.namespace", "spaceport"),
        CANARY,
    ),
    Fault("Service renamed", consistency.references, put(S, "inference", "metadata.name", "server")),
    Fault("Service's port moved", consistency.references, put(S, "chroma", "spec.ports.0.port", 80)),
    Fault(
        "vLLM's Service misspelt",
        consistency.references,
        setting("page-settings", "SPACEPORT_VLLM_SERVICE", "vlm"),
        GPU,
    ),
    Fault("two GPUs", scale.gpus, put(D, "vllm", C + "resources.limits.nvidia~com/gpu", 2), GPU),
    Fault("no toleration", scale.gpus, drop(D, "vllm", P + "tolerations"), GPU),
    Fault("no default policy", network.default_deny, drop(N, "default-deny")),
    Fault(
        "pod without a policy",
        network.default_deny,
        put(N, "chroma", "spec.podSelector", {"matchLabels": {"app": "x"}}),
    ),
    Fault("wrong port in a policy", network.default_deny, put(N, "inference", "spec.ingress.0.ports.0.port", 80)),
    Fault("pages have no egress", network.required_connections, drop(N, "pages", "spec.egress")),
    Fault("vLLM accepts no pages", network.required_connections, drop(N, "vllm", "spec.ingress.0.from.0"), GPU),
    Fault("chat can't reach Chroma", network.required_connections, drop(N, "chat-to-chroma")),
    Fault("no DNS", network.required_connections, drop(N, "names")),
    Fault("Prometheus has no access", network.required_connections, drop(N, "inference", "spec.ingress.0.from.1")),
    Fault("gateway has no access", network.required_connections, drop(N, "gateway-to-inference"), CANARY),
    Fault("pages can't reach the gateway", network.required_connections, drop(N, "pages-to-gateway"), CANARY),
    Fault("server open to all", network.forbidden_connections, drop(N, "inference", "spec.ingress.0.from")),
    Fault(
        "Chroma open to all pods",
        network.forbidden_connections,
        put(N, "chroma", "spec.ingress.0.from.0.podSelector", {}),
    ),
    Fault(
        "pages reach the internet",
        network.forbidden_connections,
        add(N, "pages", "spec.egress", {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}),
    ),
    Fault("vLLM can't download its model", network.forbidden_connections, drop(N, "vllm", "spec.egress"), GPU),
)
