"""What a deployment has in AWS, and how it is deleted: found by name, whoever made it and however far it got."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from cloud.calls import Call, Resource, Say
from cloud.command import wait_for
from cloud.sagemaker import calls as sagemaker_calls
from cloud.sagemaker import scaling as sagemaker_scaling
from cloud.sagemaker.session import Session, present, translated
from cloud.sagemaker.settings import Settings

# Each list of SageMaker's, the field that holds it, and the name inside.
LISTS = (
    ("ListInferenceComponents", "InferenceComponents", "InferenceComponentName", "inference component"),
    ("ListEndpoints", "Endpoints", "EndpointName", "endpoint"),
    ("ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName", "configuration"),
    ("ListModels", "Models", "ModelName", "model"),
)


def ours(settings: Settings, name: str) -> bool:
    """Whether a name is one that this deployment gives."""
    return bool(re.fullmatch(rf"{re.escape(settings.name)}(-[0-9a-f]{{10}}|-model)?", name))


def found(settings: Settings, session: Session) -> list[Resource]:
    """Everything of the deployment, what costs by the hour first."""
    resources = [resource for each in LISTS for resource in _listed(settings, session, *each)]
    resources += _scaling(settings, session)
    resources += _alarms(settings, session)
    resources += _data(settings, session)
    if settings.budget_usd and budget(settings, session):
        resources.append(Resource("budget", budget_name(settings)))
    return sorted(resources, key=lambda resource: -(resource.usd_hour or 0.0))


def delete(settings: Settings, session: Session, say: Say) -> None:
    """Delete everything, what costs first; what is gone already is no error."""
    order = list(_DELETE)
    for resource in sorted(found(settings, session), key=lambda resource: order.index(resource.kind)):
        say(f"deleting {resource.kind} {resource.name} …")
        _DELETE[resource.kind](settings, session, resource.name)
        if state := _STATE.get(resource.kind):
            gone = partial(state, session, resource.name)
            times = {"seconds": settings.timeout_seconds, "poll": settings.poll_seconds}
            wait_for(gone, say, what=f"{resource.kind} {resource.name}", **times)


def endpoint_state(session: Session, name: str) -> str | None:
    """The endpoint's state, or None where it is gone."""
    there = session.find("Endpoint", endpoint_name=name)
    return str(there.endpoint_status) if there else None


def component_state(session: Session, name: str) -> str | None:
    """The component's state, or None where it is gone."""
    there = session.find("InferenceComponent", inference_component_name=name)
    return str(there.inference_component_status) if there else None


def _listed(
    settings: Settings, session: Session, operation: str, field: str, key: str, kind: str
) -> Iterator[Resource]:
    token: dict[str, str] = {}
    while True:
        told = session.ask("sagemaker", operation, NameContains=settings.name, **token)
        for each in told.get(field, []):
            if ours(settings, each[key]):
                yield _resource(settings, session, kind, each)
        if not (following := told.get("NextToken")):
            return
        token = {"NextToken": following}


def _resource(settings: Settings, session: Session, kind: str, each: Mapping[str, Any]) -> Resource:
    if kind == "endpoint":
        there = session.find("Endpoint", endpoint_name=each["EndpointName"])
        return Resource(kind, each["EndpointName"], str(each["EndpointStatus"]), *_running(settings, there))
    if kind == "inference component":
        return Resource(kind, each["InferenceComponentName"], str(each.get("InferenceComponentStatus", "")))
    return Resource(kind, each.get("EndpointConfigName") or each["ModelName"])


def _running(settings: Settings, endpoint: Any) -> tuple[float | None, dict[str, Any]]:
    """What the endpoint's instances cost an hour, and what it is made of."""
    if endpoint is None:
        return 0.0, {}
    variants = getattr(endpoint, "production_variants", None) or []
    variants = variants if isinstance(variants, list) else []
    counts = [getattr(variant, "current_instance_count", None) for variant in variants]
    instances = sum(count for count in counts if isinstance(count, int))
    each = sagemaker_calls.usd_hour(settings)
    price = None if each is None else each / settings.instances * instances
    told = {"configuration": endpoint.endpoint_config_name, "instances": instances}
    return (0.0 if settings.mode == "serverless" else price), told


def _scaling(settings: Settings, session: Session) -> list[Resource]:
    told = sagemaker_scaling.scalable(settings)
    names = {"ServiceNamespace": "sagemaker", "ResourceIds": [told["ResourceId"]]}
    there = session.ask("application-autoscaling", "DescribeScalableTargets", **names).get("ScalableTargets", [])
    return [
        Resource("scaling", each["ResourceId"], f"{each['MinCapacity']} to {each['MaxCapacity']}") for each in there
    ]


def _alarms(settings: Settings, session: Session) -> list[Resource]:
    names = [f"{settings.name}-errors", f"{settings.name}-asked"]
    there = session.ask("cloudwatch", "DescribeAlarms", AlarmNames=names).get("MetricAlarms", [])
    return [Resource("alarm", each["AlarmName"], str(each.get("StateValue", ""))) for each in there]


def _data(settings: Settings, session: Session) -> list[Resource]:
    """The model's files, where we have sent them."""
    if not settings.bucket or settings.model.startswith("s3://"):
        return []
    with translated("ListObjectsV2"):
        client = session.client("s3")
        told = present(lambda: client.list_objects_v2(Bucket=settings.bucket, Prefix=f"{settings.name}/"))
    return [
        Resource("model data", each["Key"], f"{each['Size'] / 1e6:.1f} MB") for each in (told or {}).get("Contents", [])
    ]


def budget_name(settings: Settings) -> str:
    return f"{settings.name}-budget"


def budget(settings: Settings, session: Session) -> Any:
    """The budget, or None where there is none."""
    told = {"AccountId": account(session), "BudgetName": budget_name(settings)}
    with translated("DescribeBudget"):
        return present(lambda: session.client("budgets").describe_budget(**told))


def account(session: Session) -> str:
    """The account that is signed in."""
    return str(session.ask("sts", "GetCallerIdentity")["Account"])


def _delete_budget(settings: Settings, session: Session, name: str) -> None:
    session.ask("budgets", "DeleteBudget", AccountId=account(session), BudgetName=name)


def _delete_resource(kind: str, argument: str) -> Callable[[Settings, Session, str], None]:
    def delete_it(settings: Settings, session: Session, name: str) -> None:
        with translated(f"Delete{kind}"):
            if there := session.find(kind, **{argument: name}):
                there.delete()

    return delete_it


def _delete_call(
    service: str, operation: str, payload: Callable[[Settings, str], dict[str, Any]]
) -> Callable[..., None]:
    def delete_it(settings: Settings, session: Session, name: str) -> None:
        session.make(Call(service, operation, payload(settings, name), operation))

    return delete_it


# How each kind is deleted, in the order in which that is done.
_DELETE: dict[str, Callable[[Settings, Session, str], None]] = {
    "scaling": _delete_call(
        "application-autoscaling",
        "DeregisterScalableTarget",
        lambda settings, name: sagemaker_scaling.scalable(settings),
    ),
    "inference component": _delete_resource("InferenceComponent", "inference_component_name"),
    "endpoint": _delete_resource("Endpoint", "endpoint_name"),
    "configuration": _delete_resource("EndpointConfig", "endpoint_config_name"),
    "model": _delete_resource("Model", "model_name"),
    "alarm": _delete_call("cloudwatch", "DeleteAlarms", lambda settings, name: {"AlarmNames": [name]}),
    "model data": _delete_call("s3", "DeleteObject", lambda settings, name: {"Bucket": settings.bucket, "Key": name}),
    "budget": _delete_budget,
}
_STATE = {"endpoint": endpoint_state, "inference component": component_state}
