"""JSON schemas for the custom resources of operators, limited to the fields that we use.

They follow the operators' documentation. Other fields are invalid, so that typos fail.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "integer"}
SECONDS: Schema = {"type": "string", "pattern": r"^\d+(ms|s|m|h|d)$"}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def list_of(item: Schema) -> Schema:
    """A list of at least one item."""
    return {"type": "array", "minItems": 1, "items": item}


def object_of(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with required and optional properties, and no others."""
    properties = required | optional
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


METADATA = object_of({"name": TEXT, "namespace": TEXT}, labels=TEXTS, annotations=TEXTS)


def resource(version: str, kind: str, spec: Schema) -> Schema:
    """A complete resource."""
    fixed = {"apiVersion": {"const": version}, "kind": {"const": kind}}
    return object_of(fixed | {"metadata": METADATA, "spec": spec})


SELECTOR = object_of({}, matchLabels=TEXTS)
LISTENER = object_of(
    {"name": TEXT, "protocol": {"enum": ["HTTP", "HTTPS"]}, "port": NUMBER},
    allowedRoutes=object_of(
        {"namespaces": object_of({"from": {"enum": ["All", "Same", "Selector"]}}, selector=SELECTOR)}
    ),
)
BACKEND = object_of({"name": TEXT, "port": NUMBER}, weight={"type": "integer", "minimum": 0})
RULE = object_of(
    {"backendRefs": list_of(BACKEND)},
    timeouts=object_of({"request": SECONDS}),
    sessionPersistence=object_of(
        {"sessionName": TEXT, "type": {"enum": ["Cookie", "Header"]}},
        cookieConfig=object_of({"lifetimeType": {"enum": ["Session", "Permanent"]}}),
    ),
)
RECORD = object_of({"record": TEXT, "expr": TEXT})
ALERT = object_of({"alert": TEXT, "expr": TEXT, "for": SECONDS, "labels": TEXTS, "annotations": TEXTS})
POLICY = object_of({"type": {"enum": ["Pods", "Percent"]}, "value": NUMBER, "periodSeconds": NUMBER})
SCALING = object_of({"stabilizationWindowSeconds": NUMBER, "policies": list_of(POLICY)})
TRIGGER = object_of(
    {
        "type": {"const": "prometheus"},
        "metricType": {"enum": ["AverageValue", "Value"]},
        "metadata": object_of({"serverAddress": TEXT, "query": TEXT, "threshold": TEXT}),
    }
)

SCHEMAS = {
    "Gateway": resource(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        object_of(
            {"gatewayClassName": TEXT, "listeners": list_of(LISTENER)}, infrastructure=object_of({}, annotations=TEXTS)
        ),
    ),
    "HTTPRoute": resource(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        object_of(
            {"parentRefs": list_of(object_of({"name": TEXT}, namespace=TEXT)), "rules": list_of(RULE)},
            hostnames=list_of(TEXT),
        ),
    ),
    "ServiceMonitor": resource(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        object_of(
            {
                "selector": SELECTOR,
                "endpoints": list_of(
                    object_of({"port": TEXT, "path": TEXT, "interval": SECONDS, "scrapeTimeout": SECONDS})
                ),
            },
            jobLabel=TEXT,
            podTargetLabels=list_of(TEXT),
        ),
    ),
    "PrometheusRule": resource(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        object_of({"groups": list_of(object_of({"name": TEXT, "rules": list_of({"oneOf": [RECORD, ALERT]})}))}),
    ),
    "ScaledObject": resource(
        "keda.sh/v1alpha1",
        "ScaledObject",
        object_of(
            {
                "scaleTargetRef": object_of({"name": TEXT}, apiVersion=TEXT, kind=TEXT),
                "minReplicaCount": NUMBER,
                "maxReplicaCount": NUMBER,
                "triggers": list_of(TRIGGER),
            },
            pollingInterval=NUMBER,
            fallback=object_of({"failureThreshold": NUMBER, "replicas": NUMBER}),
            advanced=object_of(
                {
                    "horizontalPodAutoscalerConfig": object_of(
                        {}, name=TEXT, behavior=object_of({"scaleUp": SCALING, "scaleDown": SCALING})
                    )
                }
            ),
        ),
    ),
    "ExternalSecret": resource(
        "external-secrets.io/v1",
        "ExternalSecret",
        object_of(
            {
                "refreshInterval": SECONDS,
                "secretStoreRef": object_of({"kind": {"enum": ["SecretStore", "ClusterSecretStore"]}, "name": TEXT}),
                "target": object_of({"name": TEXT}, creationPolicy={"enum": ["Owner", "Merge", "Orphan", "None"]}),
                "data": list_of(object_of({"secretKey": TEXT, "remoteRef": object_of({"key": TEXT})})),
            }
        ),
    ),
}
