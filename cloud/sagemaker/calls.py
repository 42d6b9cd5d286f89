"""Turns settings into the API calls of a deployment to SageMaker; sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cloud.calls import ApiCall, Machines
from cloud.sagemaker import model_data
from cloud.sagemaker.monitoring import monitoring
from cloud.sagemaker.names import VARIANT, alarm_names, component_name, tags
from cloud.sagemaker.settings import SageMakerSettings

MODEL_TAG = "model"
MAX_WAIT_SECONDS = 3600  # SageMaker's limit for a wait during an update
PURPOSES = {
    "real-time": "an endpoint",
    "serverless": "a serverless endpoint",
    "async": "an asynchronous endpoint",
    "components": "an endpoint for inference components",
}


def deployment(settings: SageMakerSettings) -> list[ApiCall]:
    """Return every call that creates the endpoint, in order."""
    uploads = model_data.upload_calls(settings.model, settings.bucket, settings.name, archive=settings.archive)
    create = [create_model(settings), create_config(settings), create_endpoint(settings)]
    return [*uploads, *create, *create_component(settings), *monitoring(settings)]


def create_model(settings: SageMakerSettings) -> ApiCall:
    """Return the call for the image and its model files; another image or model is another resource."""
    container: dict[str, Any] = {"Image": settings.image, "Environment": dict(settings.environment)}
    if settings.model:
        uri, is_archive = model_data.location(settings.model, settings.bucket, settings.name, archive=settings.archive)
        kind, compression = ("S3Object", "Gzip") if is_archive else ("S3Prefix", "None")
        source = {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression}
        container["ModelDataSource"] = {"S3DataSource": source}
    content = {"ExecutionRoleArn": settings.role, "PrimaryContainer": container, "Tags": tags(settings)}
    return ApiCall("sagemaker", "CreateModel", {"ModelName": _content_name(settings, content), **content}, "the model")


def create_config(settings: SageMakerSettings) -> ApiCall:
    """Return the call for the endpoint's configuration.

    A configuration can't be changed. Other settings create another one, and the old one allows a rollback.
    """
    variant = {"VariantName": VARIANT, **_capacity(settings)}
    content: dict[str, Any] = {"Tags": tags(settings)}
    if settings.mode == "components":
        content["ExecutionRoleArn"] = settings.role
        # The component contains the model. The tag makes a configuration per model, so that a rollback finds it.
        content["Tags"] = [*tags(settings), {"Key": MODEL_TAG, "Value": model_name(settings)}]
    else:
        variant |= {"ModelName": model_name(settings), "InitialVariantWeight": 1.0}
    if settings.mode == "async":
        # Without a failure path, a client that waits for an answer never learns about a failure.
        paths = {"S3OutputPath": settings.output, "S3FailurePath": f"{settings.output.rstrip('/')}/failed"}
        content["AsyncInferenceConfig"] = {"OutputConfig": paths}
    if settings.capture and settings.mode == "real-time":
        content["DataCaptureConfig"] = _capture(settings)
    content["ProductionVariants"] = [variant]
    payload = {"EndpointConfigName": _content_name(settings, content), **content}
    return ApiCall("sagemaker", "CreateEndpointConfig", payload, "its configuration")


def create_endpoint(settings: SageMakerSettings) -> ApiCall:
    """Return the call for the endpoint, which is what AWS bills."""
    payload = {"EndpointName": settings.name, "EndpointConfigName": config_name(settings), "Tags": tags(settings)}
    return ApiCall("sagemaker", "CreateEndpoint", payload, PURPOSES[settings.mode], machines(settings))


def create_component(settings: SageMakerSettings) -> list[ApiCall]:
    """Return the call for the model of an endpoint with components; none in other modes."""
    if settings.mode != "components":
        return []
    needs: dict[str, Any] = {"MinMemoryRequiredInMb": settings.memory_mb}
    if settings.accelerators:
        needs["NumberOfAcceleratorDevicesRequired"] = settings.accelerators
    payload = {
        "InferenceComponentName": component_name(settings),
        "EndpointName": settings.name,
        "VariantName": VARIANT,
        "Specification": component_specification(settings) | {"ComputeResourceRequirements": needs},
        "RuntimeConfig": {"CopyCount": settings.instances},
        "Tags": tags(settings),
    }
    return [ApiCall("sagemaker", "CreateInferenceComponent", payload, "the component that serves the model")]


def component_specification(settings: SageMakerSettings) -> dict[str, Any]:
    """Return the model of a component and its time-outs."""
    timeouts = {
        "ModelDataDownloadTimeoutInSeconds": settings.download_timeout,
        "ContainerStartupHealthCheckTimeoutInSeconds": settings.health_timeout,
    }
    return {"ModelName": model_name(settings), "StartupParameters": timeouts}


def update(settings: SageMakerSettings) -> ApiCall:
    """Return the call that moves the traffic to the new configuration; an alarm moves it back."""
    payload = {
        "EndpointName": settings.name,
        "EndpointConfigName": config_name(settings),
        # Otherwise an update resets the instances and weights that autoscaling has changed.
        "RetainAllVariantProperties": True,
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": _traffic(settings),
                "TerminationWaitInSeconds": min(settings.wait_seconds, MAX_WAIT_SECONDS),
                "MaximumExecutionTimeoutInSeconds": max(600, min(28_800, int(settings.timeout_seconds))),
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarm_names(settings)]},
        },
    }
    if settings.mode in ("serverless", "components"):
        del payload["DeploymentConfig"]  # these switch at once, and SageMaker refuses a policy
    return ApiCall("sagemaker", "UpdateEndpoint", payload, "the update", machines(settings))


def model_name(settings: SageMakerSettings) -> str:
    """Return the name of the model, which depends on its content."""
    return str(create_model(settings).payload["ModelName"])


def config_name(settings: SageMakerSettings) -> str:
    """Return the name of the configuration, which depends on its content."""
    return str(create_config(settings).payload["EndpointConfigName"])


def machines(settings: SageMakerSettings) -> Machines | None:
    """Return what is billed by the hour: the initial instances; None if requests are billed."""
    return None if settings.mode == "serverless" else Machines(settings.price_row, settings.instances)


def _content_name(settings: SageMakerSettings, content: Mapping[str, Any]) -> str:
    """Return a name that depends only on the content, so that creating it twice creates one resource."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]
    return f"{settings.name}-{digest}"


def _capacity(settings: SageMakerSettings) -> dict[str, Any]:
    if settings.mode == "serverless":
        return {"ServerlessConfig": {"MemorySizeInMB": settings.memory_mb, "MaxConcurrency": settings.max_concurrency}}
    instances: dict[str, Any] = {"InstanceType": settings.instance_type, "InitialInstanceCount": settings.instances}
    if settings.mode == "components":
        counts = {"MinInstanceCount": 0, "MaxInstanceCount": max(1, settings.max_instances)}
        return instances | {
            "ManagedInstanceScaling": {"Status": "ENABLED", **counts},
            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        }
    return instances | {
        "ModelDataDownloadTimeoutInSeconds": settings.download_timeout,
        "ContainerStartupHealthCheckTimeoutInSeconds": settings.health_timeout,
    }


def _capture(settings: SageMakerSettings) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": settings.capture_percent,
        "DestinationS3Uri": settings.capture,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }


def _traffic(settings: SageMakerSettings) -> dict[str, Any]:
    wait = {"WaitIntervalInSeconds": min(settings.wait_seconds, MAX_WAIT_SECONDS)}
    if settings.strategy == "blue-green":
        return {"Type": "ALL_AT_ONCE", **wait}
    size = "CanarySize" if settings.strategy == "canary" else "LinearStepSize"
    step = {"Type": "CAPACITY_PERCENT", "Value": settings.step_percent}
    return {"Type": settings.strategy.upper(), size: step, **wait}
