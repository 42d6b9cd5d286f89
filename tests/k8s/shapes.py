"""What the objects of operators look like, as far as we use them: Kubernetes itself has no schema for them.

Written after their documentation. A field that is not here is refused, so that a misspelt one is noticed.
"""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]
TEXT: Shape = {"type": "string", "minLength": 1}
NUMBER: Shape = {"type": "integer"}
SECONDS: Shape = {"type": "string", "pattern": r"^\d+(ms|s|m|h|d)$"}
TEXTS: Shape = {"type": "object", "additionalProperties": {"type": "string"}}


def each(shape: Shape) -> Shape:
    """A list of at least one."""
    return {"type": "array", "minItems": 1, "items": shape}


def made_of(needed: dict[str, Shape], **more: Shape) -> Shape:
    """An object with what it needs and, if it likes, with more; with nothing else."""
    properties = needed | more
    return {"type": "object", "properties": properties, "required": [*needed], "additionalProperties": False}


METADATA = made_of({"name": TEXT, "namespace": TEXT}, labels=TEXTS, annotations=TEXTS)


def shape(version: str, kind: str, spec: Shape) -> Shape:
    """A whole object."""
    fixed = {"apiVersion": {"const": version}, "kind": {"const": kind}}
    return made_of(fixed | {"metadata": METADATA, "spec": spec})


SELECTOR = made_of({}, matchLabels=TEXTS)
LISTENER = made_of(
    {"name": TEXT, "protocol": {"enum": ["HTTP", "HTTPS"]}, "port": NUMBER},
    allowedRoutes=made_of({"namespaces": made_of({"from": {"enum": ["All", "Same", "Selector"]}}, selector=SELECTOR)}),
)
BACKEND = made_of({"name": TEXT, "port": NUMBER}, weight={"type": "integer", "minimum": 0})
RULE = made_of(
    {"backendRefs": each(BACKEND)},
    timeouts=made_of({"request": SECONDS}),
    sessionPersistence=made_of(
        {"sessionName": TEXT, "type": {"enum": ["Cookie", "Header"]}},
        cookieConfig=made_of({"lifetimeType": {"enum": ["Session", "Permanent"]}}),
    ),
)
RECORD = made_of({"record": TEXT, "expr": TEXT})
ALERT = made_of({"alert": TEXT, "expr": TEXT, "for": SECONDS, "labels": TEXTS, "annotations": TEXTS})
POLICY = made_of({"type": {"enum": ["Pods", "Percent"]}, "value": NUMBER, "periodSeconds": NUMBER})
SCALING = made_of({"stabilizationWindowSeconds": NUMBER, "policies": each(POLICY)})
TRIGGER = made_of(
    {
        "type": {"const": "prometheus"},
        "metricType": {"enum": ["AverageValue", "Value"]},
        "metadata": made_of({"serverAddress": TEXT, "query": TEXT, "threshold": TEXT}),
    }
)

SHAPES = {
    "Gateway": shape(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        made_of({"gatewayClassName": TEXT, "listeners": each(LISTENER)}, infrastructure=made_of({}, annotations=TEXTS)),
    ),
    "HTTPRoute": shape(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        made_of(
            {"parentRefs": each(made_of({"name": TEXT}, namespace=TEXT)), "rules": each(RULE)}, hostnames=each(TEXT)
        ),
    ),
    "ServiceMonitor": shape(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        made_of(
            {
                "selector": SELECTOR,
                "endpoints": each(made_of({"port": TEXT, "path": TEXT, "interval": SECONDS, "scrapeTimeout": SECONDS})),
            },
            jobLabel=TEXT,
            podTargetLabels=each(TEXT),
        ),
    ),
    "PrometheusRule": shape(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        made_of({"groups": each(made_of({"name": TEXT, "rules": each({"oneOf": [RECORD, ALERT]})}))}),
    ),
    "ScaledObject": shape(
        "keda.sh/v1alpha1",
        "ScaledObject",
        made_of(
            {
                "scaleTargetRef": made_of({"name": TEXT}, apiVersion=TEXT, kind=TEXT),
                "minReplicaCount": NUMBER,
                "maxReplicaCount": NUMBER,
                "triggers": each(TRIGGER),
            },
            pollingInterval=NUMBER,
            fallback=made_of({"failureThreshold": NUMBER, "replicas": NUMBER}),
            advanced=made_of(
                {
                    "horizontalPodAutoscalerConfig": made_of(
                        {}, name=TEXT, behavior=made_of({"scaleUp": SCALING, "scaleDown": SCALING})
                    )
                }
            ),
        ),
    ),
    "ExternalSecret": shape(
        "external-secrets.io/v1",
        "ExternalSecret",
        made_of(
            {
                "refreshInterval": SECONDS,
                "secretStoreRef": made_of({"kind": {"enum": ["SecretStore", "ClusterSecretStore"]}, "name": TEXT}),
                "target": made_of({"name": TEXT}, creationPolicy={"enum": ["Owner", "Merge", "Orphan", "None"]}),
                "data": each(made_of({"secretKey": TEXT, "remoteRef": made_of({"key": TEXT})})),
            }
        ),
    ),
}
