"""Finds a deployment's resources in AWS by their names, and deletes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from cloud.calls import ApiCall, Machines, ReportLine, Resource
from cloud.sagemaker import calls, scaling
from cloud.sagemaker.names import alarm_names, budget_name
from cloud.sagemaker.session import AwsSession, or_none, translate_errors
from cloud.sagemaker.settings import SageMakerSettings
from cloud.wait import wait_for

Delete = Callable[[SageMakerSettings, AwsSession, str], None]
_SUFFIX = re.compile(r"(-[0-9a-f]{10}|-model)?")
# SageMaker's list operations, the field of the list, the field of the name, and the kind of resource.
LIST_OPERATIONS = (
    ("ListInferenceComponents", "InferenceComponents", "InferenceComponentName", "inference component"),
    ("ListEndpoints", "Endpoints", "EndpointName", "endpoint"),
    ("ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName", "configuration"),
    ("ListModels", "Models", "ModelName", "model"),
)


def belongs_to(settings: SageMakerSettings, name: str) -> bool:
    """Return whether a name is one that this deployment creates."""
    return name.startswith(settings.name) and bool(_SUFFIX.fullmatch(name.removeprefix(settings.name)))


def list_resources(settings: SageMakerSettings, session: AwsSession) -> list[Resource]:
    """Return all resources of the deployment, those that are billed by the hour first."""
    resources = [resource for operation in LIST_OPERATIONS for resource in _list(settings, session, *operation)]
    resources += _scalable_targets(settings, session)
    resources += _alarms(settings, session)
    resources += _model_data(settings, session)
    if settings.budget_usd and find_budget(settings, session):
        resources.append(Resource("budget", budget_name(settings)))
    return sorted(resources, key=lambda resource: resource.machines is None)


def delete_all(settings: SageMakerSettings, session: AwsSession, report: ReportLine) -> None:
    """Delete all resources; it's no error if one is gone already."""
    order = list(_DELETE)
    for resource in sorted(list_resources(settings, session), key=lambda resource: order.index(resource.kind)):
        report(f"deleting {resource.kind} {resource.name} …")
        _DELETE[resource.kind](settings, session, resource.name)
        if state := _STATE.get(resource.kind):
            wait_for(
                partial(state, session, resource.name),
                report,
                subject=f"{resource.kind} {resource.name}",
                seconds=settings.timeout_seconds,
                poll=settings.poll_seconds,
            )


def endpoint_state(session: AwsSession, name: str) -> str | None:
    """Return the endpoint's state, or None if it doesn't exist."""
    endpoint = session.find("Endpoint", endpoint_name=name)
    return str(endpoint.endpoint_status) if endpoint else None


def component_state(session: AwsSession, name: str) -> str | None:
    """Return the component's state, or None if it doesn't exist."""
    component = session.find("InferenceComponent", inference_component_name=name)
    return str(component.inference_component_status) if component else None


def find_budget(settings: SageMakerSettings, session: AwsSession) -> Any:
    """Return the budget, or None if there is none."""
    names = {"AccountId": account_id(session), "BudgetName": budget_name(settings)}
    with translate_errors("DescribeBudget"):
        return or_none(lambda: session.client("budgets").describe_budget(**names))


def account_id(session: AwsSession) -> str:
    """Return the current account."""
    return str(session.request("sts", "GetCallerIdentity")["Account"])


def _list(
    settings: SageMakerSettings, session: AwsSession, operation: str, list_field: str, name_field: str, kind: str
) -> Iterator[Resource]:
    page: dict[str, str] = {}
    while True:
        response = session.request("sagemaker", operation, NameContains=settings.name, **page)
        for entry in response.get(list_field, []):
            if belongs_to(settings, entry[name_field]):
                yield _resource(settings, session, kind, entry)
        if not (token := response.get("NextToken")):
            return
        page = {"NextToken": token}


def _resource(settings: SageMakerSettings, session: AwsSession, kind: str, entry: Mapping[str, Any]) -> Resource:
    if kind == "endpoint":
        endpoint = session.find("Endpoint", endpoint_name=entry["EndpointName"])
        return Resource(kind, entry["EndpointName"], str(entry["EndpointStatus"]), *_usage(settings, endpoint))
    if kind == "inference component":
        return Resource(kind, entry["InferenceComponentName"], str(entry.get("InferenceComponentStatus", "")))
    return Resource(kind, entry.get("EndpointConfigName") or entry["ModelName"])


def _usage(settings: SageMakerSettings, endpoint: Any) -> tuple[Machines | None, dict[str, Any]]:
    """Return the endpoint's current instances, and its details."""
    if endpoint is None:
        return None, {}
    variants = getattr(endpoint, "production_variants", None)
    variants = variants if isinstance(variants, list) else []  # sagemaker-core may return a placeholder object
    counts = [getattr(variant, "current_instance_count", None) for variant in variants]
    instances = sum(count for count in counts if isinstance(count, int))
    initial = calls.machines(settings)
    detail = {"configuration": endpoint.endpoint_config_name, "instances": instances}
    return initial and replace(initial, count=instances), detail


def _scalable_targets(settings: SageMakerSettings, session: AwsSession) -> list[Resource]:
    resource_ids = [scaling.scalable_target(settings)["ResourceId"]]
    response = session.request(
        "application-autoscaling", "DescribeScalableTargets", ServiceNamespace="sagemaker", ResourceIds=resource_ids
    )
    return [
        Resource("scaling", target["ResourceId"], f"{target['MinCapacity']} to {target['MaxCapacity']}")
        for target in response.get("ScalableTargets", [])
    ]


def _alarms(settings: SageMakerSettings, session: AwsSession) -> list[Resource]:
    names = [alarm_names(settings)[0], scaling.alarm_name(settings)]
    alarms = session.request("cloudwatch", "DescribeAlarms", AlarmNames=names).get("MetricAlarms", [])
    return [Resource("alarm", alarm["AlarmName"], str(alarm.get("StateValue", ""))) for alarm in alarms]


def _model_data(settings: SageMakerSettings, session: AwsSession) -> list[Resource]:
    """Return the uploaded files of the model."""
    if not settings.bucket or settings.model.startswith("s3://"):
        return []
    with translate_errors("ListObjectsV2"):
        client = session.client("s3")
        listing = or_none(lambda: client.list_objects_v2(Bucket=settings.bucket, Prefix=f"{settings.name}/"))
    objects = (listing or {}).get("Contents", [])
    return [Resource("model data", each["Key"], f"{each['Size'] / 1e6:.1f} MB") for each in objects]


def _delete_budget(settings: SageMakerSettings, session: AwsSession, name: str) -> None:
    session.request("budgets", "DeleteBudget", AccountId=account_id(session), BudgetName=name)


def _delete_through_core(kind: str, argument: str) -> Delete:
    """Return a function that deletes a resource through sagemaker-core."""

    def delete(settings: SageMakerSettings, session: AwsSession, name: str) -> None:
        with translate_errors(f"Delete{kind}"):
            if resource := session.find(kind, **{argument: name}):
                resource.delete()

    return delete


def _delete_through_call(
    service: str, operation: str, payload: Callable[[SageMakerSettings, str], dict[str, Any]]
) -> Delete:
    """Return a function that deletes a resource with an API call."""

    def delete(settings: SageMakerSettings, session: AwsSession, name: str) -> None:
        session.send(ApiCall(service, operation, payload(settings, name), operation))

    return delete


# The deletion of each kind, in the order of deletion.
_DELETE: dict[str, Delete] = {
    "scaling": _delete_through_call(
        "application-autoscaling",
        "DeregisterScalableTarget",
        lambda settings, name: dict(scaling.scalable_target(settings)),
    ),
    "inference component": _delete_through_core("InferenceComponent", "inference_component_name"),
    "endpoint": _delete_through_core("Endpoint", "endpoint_name"),
    "configuration": _delete_through_core("EndpointConfig", "endpoint_config_name"),
    "model": _delete_through_core("Model", "model_name"),
    "alarm": _delete_through_call("cloudwatch", "DeleteAlarms", lambda settings, name: {"AlarmNames": [name]}),
    "model data": _delete_through_call(
        "s3", "DeleteObject", lambda settings, name: {"Bucket": settings.bucket, "Key": name}
    ),
    "budget": _delete_budget,
}
_STATE = {"endpoint": endpoint_state, "inference component": component_state}
