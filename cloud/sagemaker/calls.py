"""Settings to API calls: everything that a deployment to SageMaker sends, without sending it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cloud.calls import Call
from cloud.sagemaker import model_data
from cloud.sagemaker.settings import Settings
from compare.analyse.prices import Hourly, Prices
from compare.errors import PriceError

VARIANT = "main"
MODEL_TAG = "model"
KINDS = {"real-time": "an endpoint", "serverless": "a serverless endpoint", "async": "an asynchronous endpoint"}
KINDS["components"] = "an endpoint for inference components"


def deployment(chosen: Settings) -> list[Call]:
    """Every call that makes the endpoint, in order."""
    uploads = model_data.calls(chosen.model, chosen.bucket, chosen.name, archive=chosen.archive)
    return [*uploads, model(chosen), config(chosen), endpoint(chosen), *component(chosen), *watch(chosen)]


def model(chosen: Settings) -> Call:
    """The image with its model files; another image or model is another one of these."""
    container: dict[str, Any] = {"Image": chosen.image, "Environment": dict(chosen.environment)}
    if chosen.model:
        uri, archived = model_data.location(chosen.model, chosen.bucket, chosen.name, archive=chosen.archive)
        kind, compression = ("S3Object", "Gzip") if archived else ("S3Prefix", "None")
        source = {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression}
        container["ModelDataSource"] = {"S3DataSource": source}
    told = {"ExecutionRoleArn": chosen.role, "PrimaryContainer": container, "Tags": tags(chosen)}
    return Call("sagemaker", "CreateModel", {"ModelName": _named(chosen, told), **told}, "the model")


def config(chosen: Settings) -> Call:
    """On what it runs; it cannot be changed, so that other settings are another one of these, and a way back."""
    variant = {"VariantName": VARIANT, **_capacity(chosen)}
    told: dict[str, Any] = {"Tags": tags(chosen)}
    if chosen.mode == "components":
        told["ExecutionRoleArn"] = chosen.role
        # A component holds its model: with this tag a configuration is a new one too, and there is a way back.
        told["Tags"] = [*tags(chosen), {"Key": MODEL_TAG, "Value": model_name(chosen)}]
    else:
        variant |= {"ModelName": model_name(chosen), "InitialVariantWeight": 1.0}
    if chosen.mode == "async":
        # Without a place for failures, whoever waits for an answer never hears of one.
        paths = {"S3OutputPath": chosen.output, "S3FailurePath": f"{chosen.output.rstrip('/')}/failed"}
        told["AsyncInferenceConfig"] = {"OutputConfig": paths}
    if chosen.capture and chosen.mode == "real-time":
        told["DataCaptureConfig"] = _capture(chosen)
    told["ProductionVariants"] = [variant]
    return Call(
        "sagemaker", "CreateEndpointConfig", {"EndpointConfigName": _named(chosen, told), **told}, "its configuration"
    )


def endpoint(chosen: Settings) -> Call:
    """What is called, and paid for."""
    told = {"EndpointName": chosen.name, "EndpointConfigName": config(chosen).payload["EndpointConfigName"]}
    return Call("sagemaker", "CreateEndpoint", told | {"Tags": tags(chosen)}, KINDS[chosen.mode], usd_hour(chosen))


def component(chosen: Settings) -> list[Call]:
    """One model on an endpoint whose instances come and go with it."""
    if chosen.mode != "components":
        return []
    needs: dict[str, Any] = {"MinMemoryRequiredInMb": chosen.memory_mb}
    if chosen.accelerators:
        needs["NumberOfAcceleratorDevicesRequired"] = chosen.accelerators
    told = {
        "InferenceComponentName": component_name(chosen),
        "EndpointName": chosen.name,
        "VariantName": VARIANT,
        "Specification": component_specification(chosen) | {"ComputeResourceRequirements": needs},
        "RuntimeConfig": {"CopyCount": chosen.instances},
        "Tags": tags(chosen),
    }
    return [Call("sagemaker", "CreateInferenceComponent", told, "the model on it")]


def component_specification(chosen: Settings) -> dict[str, Any]:
    """Which model a component holds, and how long it may take to start."""
    times = {
        "ModelDataDownloadTimeoutInSeconds": chosen.download_timeout,
        "ContainerStartupHealthCheckTimeoutInSeconds": chosen.health_timeout,
    }
    return {"ModelName": model_name(chosen), "StartupParameters": times}


def update(chosen: Settings) -> Call:
    """The next configuration takes the traffic over, as the strategy says, and an alarm takes it back."""
    told = {
        "EndpointName": chosen.name,
        "EndpointConfigName": config(chosen).payload["EndpointConfigName"],
        # Or instances and weights that scaling has changed would start anew.
        "RetainAllVariantProperties": True,
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": _traffic(chosen),
                "TerminationWaitInSeconds": min(chosen.wait_seconds, 3600),
                "MaximumExecutionTimeoutInSeconds": max(600, min(28_800, int(chosen.timeout_seconds))),
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarm_names(chosen)]},
        },
    }
    if chosen.mode in ("serverless", "components"):
        del told["DeploymentConfig"]  # these move at once, and SageMaker refuses a policy
    return Call("sagemaker", "UpdateEndpoint", told, "the update", usd_hour(chosen))


def watch(chosen: Settings) -> list[Call]:
    """The alarm that takes an update back, and a budget that warns."""
    alarm = {
        "AlarmName": alarm_names(chosen)[0],
        "AlarmDescription": f"The model of {chosen.name} failed.",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": dimensions(chosen),
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    calls = [Call("cloudwatch", "PutMetricAlarm", alarm, "an alarm for failures")]
    return calls + ([_budget(chosen)] if chosen.budget_usd else [])


def alarm_names(chosen: Settings) -> list[str]:
    return [f"{chosen.name}-errors", *chosen.alarms]


def model_name(chosen: Settings) -> str:
    return str(model(chosen).payload["ModelName"])


def component_name(chosen: Settings) -> str:
    return f"{chosen.name}-model"


def tags(chosen: Settings) -> list[dict[str, str]]:
    told = {"project": "spaceport", "deployment": chosen.name, **chosen.tags}
    return [{"Key": key, "Value": value} for key, value in told.items()]


def usd_hour(chosen: Settings) -> float | None:
    """What it costs an hour with the instances that it starts with; None where the price table does not know."""
    if chosen.mode == "serverless":
        return 0.0  # paid by the request
    try:
        price = Prices.load().find(f"sagemaker/{chosen.region}/{chosen.instance_type}")
    except PriceError:
        return None
    return price.usd_hour * chosen.instances if isinstance(price, Hourly) else None


def _named(chosen: Settings, told: Mapping[str, Any]) -> str:
    """A name that is the same for the same content, so that making it twice makes it once."""
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:10]
    return f"{chosen.name}-{digest}"


def _capacity(chosen: Settings) -> dict[str, Any]:
    if chosen.mode == "serverless":
        return {"ServerlessConfig": {"MemorySizeInMB": chosen.memory_mb, "MaxConcurrency": chosen.max_concurrency}}
    told: dict[str, Any] = {"InstanceType": chosen.instance_type, "InitialInstanceCount": chosen.instances}
    if chosen.mode == "components":
        counts = {"MinInstanceCount": 0, "MaxInstanceCount": max(1, chosen.max_instances)}
        managed = {"Status": "ENABLED", **counts}
        return told | {
            "ManagedInstanceScaling": managed,
            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        }
    return told | {
        "ModelDataDownloadTimeoutInSeconds": chosen.download_timeout,
        "ContainerStartupHealthCheckTimeoutInSeconds": chosen.health_timeout,
    }


def _capture(chosen: Settings) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": chosen.capture_percent,
        "DestinationS3Uri": chosen.capture,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }


def _traffic(chosen: Settings) -> dict[str, Any]:
    if chosen.strategy == "blue-green":
        return {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": min(chosen.wait_seconds, 3600)}
    step = {"Type": "CAPACITY_PERCENT", "Value": chosen.step_percent}
    size = "CanarySize" if chosen.strategy == "canary" else "LinearStepSize"
    return {"Type": chosen.strategy.upper(), size: step, "WaitIntervalInSeconds": min(chosen.wait_seconds, 3600)}


def dimensions(chosen: Settings) -> list[dict[str, str]]:
    if chosen.mode == "components":
        return [{"Name": "InferenceComponentName", "Value": component_name(chosen)}]
    return [{"Name": "EndpointName", "Value": chosen.name}, {"Name": "VariantName", "Value": VARIANT}]


def _budget(chosen: Settings) -> Call:
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    subscriber = {"SubscriptionType": "EMAIL", "Address": chosen.budget_email}
    told = {
        "AccountId": "000000000000",  # who is signed in, when it is made
        "Budget": {
            "BudgetName": f"{chosen.name}-budget",
            "BudgetLimit": {"Amount": f"{chosen.budget_usd:g}", "Unit": "USD"},
            "CostFilters": {"TagKeyValue": [f"user:deployment${chosen.name}"]},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
        "NotificationsWithSubscribers": [{"Notification": notification, "Subscribers": [subscriber]}],
    }
    return Call("budgets", "CreateBudget", told, "a budget that warns")
