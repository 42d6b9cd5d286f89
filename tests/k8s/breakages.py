"""Manifests broken by one edit, each with the check that has to notice it."""

from __future__ import annotations

from typing import NamedTuple

from tests.k8s import agreement_checks as agreement
from tests.k8s import life_checks as life
from tests.k8s import network_checks as network
from tests.k8s import pod_checks as pods
from tests.k8s import scale_checks as scale
from tests.k8s.checks import Check
from tests.k8s.edits import Edit, add, drop, put, setting
from tests.k8s.objects import named


class Breakage(NamedTuple):
    """An edit of what `folder` renders to, and the check that it must not pass."""

    what: str
    check: Check
    edit: Edit
    folder: str = "base"


GPU, KEDA, CANARY, SLOTS = "overlays/gpu", "overlays/gpu-keda", "overlays/canary", "overlays/blue-green"
B, D, S, P, H = "PodDisruptionBudget", "Deployment", "Service", "spec.template.spec.", "HorizontalPodAutoscaler"
N, R, ENFORCE = "NetworkPolicy", "HTTPRoute", "pod-security~kubernetes~io/enforce"
C, T = P + "containers.0.", P + "topologySpreadConstraints."

BREAKAGES = (
    Breakage("privileged", pods.confined, put(D, "inference", C + "securityContext.privileged", True)),
    Breakage(
        "anything is admitted", pods.confined, put("Namespace", "spaceport", f"metadata.labels.{ENFORCE}", "baseline")
    ),
    Breakage("root", pods.confined, put(D, "chat", P + "securityContext.runAsUser", 0)),
    Breakage("nobody says non-root", pods.confined, drop("StatefulSet", "chroma", P + "securityContext.runAsNonRoot")),
    Breakage("no seccomp", pods.confined, drop(D, "compare", P + "securityContext.seccompProfile")),
    Breakage("a capability", pods.confined, put(D, "chat", C + "securityContext.capabilities.add", ["NET_ADMIN"])),
    Breakage("writable root", pods.confined, put(D, "vllm", C + "securityContext.readOnlyRootFilesystem", False), GPU),
    Breakage("init escalates", pods.confined, drop(D, "vllm", P + "initContainers.0.securityContext"), GPU),
    Breakage("host path", pods.confined, add(D, "inference", P + "volumes", {"name": "x", "hostPath": {"path": "/"}})),
    Breakage("host network", pods.confined, put(D, "inference", P + "hostNetwork", True)),
    Breakage("a token", pods.silent, put(D, "chat", P + "automountServiceAccountToken", True)),
    Breakage("the account's token", pods.silent, drop("ServiceAccount", "chat", "automountServiceAccountToken")),
    Breakage("service links", pods.silent, drop(D, "vllm", P + "enableServiceLinks"), GPU),
    Breakage("latest", pods.pinned, put(D, "inference", C + "image", "spaceport-inference:latest")),
    Breakage("no tag", pods.pinned, put("StatefulSet", "chroma", C + "image", "chromadb/chroma")),
    Breakage("no tag of the init", pods.pinned, put(D, "vllm", P + "initContainers.0.image", "x"), GPU),
    Breakage("no memory limit", pods.limited, drop(D, "inference", C + "resources.limits.memory")),
    Breakage("no request", pods.limited, drop(D, "chat", C + "resources.requests.cpu")),
    Breakage("request over limit", pods.limited, put(D, "chat", C + "resources.requests.cpu", "2500m")),
    Breakage("endless /tmp", pods.limited, put(D, "chat", P + "volumes.1.emptyDir", {})),
    Breakage("/tmp over the limit", pods.limited, put(D, "chat", P + "volumes.1.emptyDir.sizeLimit", "5Gi")),
    Breakage("shared memory over the limit", pods.limited, put(D, "vllm", C + "resources.limits.memory", "4Gi"), GPU),
    Breakage("no readiness", life.probed, drop(D, "inference", C + "readinessProbe")),
    Breakage("no startup", life.probed, drop("StatefulSet", "chroma", C + "startupProbe")),
    Breakage("probe of another port", life.probed, put(D, "inference", C + "livenessProbe.httpGet.port", "web")),
    Breakage("a long initial delay", life.probed, put(D, "inference", C + "livenessProbe.initialDelaySeconds", 300)),
    Breakage("a short start", life.probed, put(D, "vllm", C + "startupProbe.failureThreshold", 6), GPU),
    Breakage("given up early", life.probed, put(D, "inference", "spec.progressDeadlineSeconds", 120)),
    Breakage("grace too short", life.drained, put(D, "inference", P + "terminationGracePeriodSeconds", 30)),
    Breakage("preStop too long", life.drained, put(D, "inference", C + "lifecycle.preStop.sleep.seconds", 20)),
    Breakage("no preStop", life.drained, drop(D, "inference", C + "lifecycle")),
    Breakage("a longer drain", life.drained, setting("inference-settings", "SPACEPORT_DRAIN_SECONDS", "60")),
    Breakage("vLLM's longer drain", life.drained, put(D, "vllm", C + "args.5", "--shutdown-timeout=55"), GPU),
    Breakage("a page that breaks off", life.drained, put(D, "chat", C + "lifecycle.preStop.sleep.seconds", 10)),
    Breakage("vLLM's default", life.drain_is_meant, drop(D, "vllm", C + "args.5"), GPU),
    Breakage("fewer meanwhile", life.rolled, put(D, "chat", "spec.strategy.rollingUpdate.maxUnavailable", 1)),
    Breakage("available at once", life.rolled, drop(D, "inference", "spec.minReadySeconds")),
    Breakage("no spread", life.spread, drop(D, "inference", T + "1")),
    Breakage("an order", life.spread, put(D, "chat", T + "0.whenUnsatisfiable", "DoNotSchedule")),
    Breakage("spread among others", life.spread, put(D, "chat", T + "0.labelSelector", {"matchLabels": {"app": "x"}})),
    Breakage("volume renamed", pods.mounted, put(D, "chat", P + "volumes.0.name", "files")),
    Breakage("no /tmp", pods.mounted, drop(D, "inference", C + "volumeMounts.0")),
    Breakage(
        "a Secret in the tree",
        pods.secret,
        lambda objects: objects.append({"kind": "Secret", "metadata": {"name": "x"}}),
    ),
    Breakage("another Secret", pods.secret, put(D, "inference", P + "volumes.1.secret.secretName", "keys")),
    Breakage("a key in the environment", pods.secret, setting("inference-settings", "SPACEPORT_API_KEY", "hunter2")),
    Breakage("a key file elsewhere", pods.secret, setting("page-settings", "SPACEPORT_INFERENCE_KEY_FILE", "/run/key")),
    Breakage("ConfigMap renamed", pods.known_maps, put(D, "inference", C + "envFrom.0.configMapRef.name", "settings")),
    Breakage("no namespace", agreement.labelled, drop(S, "chat", "metadata.namespace")),
    Breakage(
        "no labels",
        agreement.labelled,
        drop(D, "chat", P.removesuffix("spec.") + "metadata.labels.app~kubernetes~io/component"),
    ),
    Breakage("label changed", agreement.selected, put(D, "inference", "spec.template.metadata.labels.track", "new")),
    Breakage(
        "both releases picked", agreement.selected, drop(D, "inference", "spec.selector.matchLabels.track"), CANARY
    ),
    Breakage("Service's selector changed", agreement.served, put(S, "chat", "spec.selector", {"app": "chat"})),
    Breakage("Service's port renamed", agreement.served, put(S, "inference", "spec.ports.0.targetPort", "web")),
    Breakage("pod's port renamed", agreement.served, put(D, "compare", C + "ports.0.name", "web")),
    Breakage("switched to no slot", agreement.served, put(S, "inference", "spec.selector.slot", "red"), SLOTS),
    Breakage(
        "governing Service renamed", agreement.served, put("StatefulSet", "chroma", "spec.serviceName", "vectors")
    ),
    Breakage("another Gateway", agreement.served, put("Gateway", "models", "metadata.name", "edge"), CANARY),
    Breakage("Gateway's port", agreement.served, put("Gateway", "models", "spec.listeners.0.port", 80), CANARY),
    Breakage("no affinity", agreement.sticky, drop(S, "chat", "spec.sessionAffinity")),
    Breakage(
        "forgets early", agreement.sticky, put(S, "compare", "spec.sessionAffinityConfig.clientIP.timeoutSeconds", 600)
    ),
    Breakage("account renamed", agreement.accounted, put(D, "inference", P + "serviceAccountName", "default")),
    Breakage("HPA's target renamed", scale.scaled, put(H, "inference", "spec.scaleTargetRef.name", "server")),
    Breakage("HPA and replicas", scale.scaled, put(D, "inference", "spec.replicas", 3)),
    Breakage("neither", scale.scaled, drop(H, "chat")),
    Breakage(
        "KEDA and HPA",
        scale.scaled,
        lambda objects: objects.append(
            {
                **named(objects, H, "chat"),
                "spec": named(objects, "ScaledObject", "vllm")["spec"],
                "kind": "ScaledObject",
            }
        ),
        KEDA,
    ),
    Breakage("scales to nothing", scale.scaled, put("ScaledObject", "vllm", "spec.minReplicaCount", 0), KEDA),
    Breakage("restless", scale.scaled, put(H, "inference", "spec.behavior.scaleDown.stabilizationWindowSeconds", 0)),
    Breakage("no behaviour", scale.scaled, drop(H, "vllm", "spec.behavior"), GPU),
    Breakage("a budget of everybody", scale.budgeted, put(B, "chat", "spec.selector", {})),
    Breakage("in two budgets", scale.budgeted, drop(B, "inference", "spec.selector.matchLabels.track"), CANARY),
    Breakage("no budget", scale.budgeted, drop(B, "chroma")),
    Breakage("never drained", scale.budgeted, put(B, "compare", "spec.maxUnavailable", 0)),
    Breakage(
        "scraped twice", agreement.scraped, put(S, "inference", "metadata.labels.spaceport-metrics", "true"), SLOTS
    ),
    Breakage("never scraped", agreement.scraped, drop(S, "inference", "metadata.labels.spaceport-metrics")),
    Breakage(
        "scraped elsewhere",
        agreement.scraped,
        put("ServiceMonitor", "spaceport", "spec.endpoints.0.port", "metrics"),
        GPU,
    ),
    Breakage("releases alike", agreement.scraped, drop("ServiceMonitor", "spaceport", "spec.podTargetLabels"), CANARY),
    Breakage("weights of 110", agreement.routed, put(R, "inference", "spec.rules.0.backendRefs.1.weight", 20), CANARY),
    Breakage(
        "route to nobody", agreement.routed, put(R, "inference", "spec.rules.0.backendRefs.1.name", "canary"), CANARY
    ),
    Breakage("route to no port", agreement.routed, put(R, "inference", "spec.rules.0.backendRefs.0.port", 80), CANARY),
    Breakage(
        "route on no Gateway", agreement.routed, put(R, "inference", "spec.parentRefs.0.namespace", "spaceport"), CANARY
    ),
    Breakage("Service renamed", agreement.called, put(S, "inference", "metadata.name", "server")),
    Breakage("Service's port moved", agreement.called, put(S, "chroma", "spec.ports.0.port", 80)),
    Breakage(
        "vLLM's Service misspelt", agreement.called, setting("page-settings", "SPACEPORT_VLLM_SERVICE", "vlm"), GPU
    ),
    Breakage("two GPUs", scale.sized, put(D, "vllm", C + "resources.limits.nvidia~com/gpu", 2), GPU),
    Breakage("taint not tolerated", scale.sized, drop(D, "vllm", P + "tolerations"), GPU),
    Breakage("no default", network.covered, drop(N, "default-deny")),
    Breakage(
        "a pod that no policy picks",
        network.covered,
        put(N, "chroma", "spec.podSelector", {"matchLabels": {"app": "x"}}),
    ),
    Breakage("policy's port", network.covered, put(N, "inference", "spec.ingress.0.ports.0.port", 80)),
    Breakage("no way to the model", network.reachable, drop(N, "pages", "spec.egress")),
    Breakage("no way in for the model", network.reachable, drop(N, "vllm", "spec.ingress.0.from.0"), GPU),
    Breakage("no way to the vectors", network.reachable, drop(N, "chat-to-chroma")),
    Breakage("no names", network.reachable, drop(N, "names")),
    Breakage("Prometheus shut out", network.reachable, drop(N, "inference", "spec.ingress.0.from.1")),
    Breakage("the gateway shut out", network.reachable, drop(N, "gateway-to-inference"), CANARY),
    Breakage("no way to the gateway", network.reachable, drop(N, "pages-to-gateway"), CANARY),
    Breakage("open to all", network.closed, drop(N, "inference", "spec.ingress.0.from")),
    Breakage("open to all pages", network.closed, put(N, "chroma", "spec.ingress.0.from.0.podSelector", {})),
    Breakage(
        "the internet", network.closed, add(N, "pages", "spec.egress", {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})
    ),
    Breakage("no model", network.closed, drop(N, "vllm", "spec.egress"), GPU),
)
