"""Autoscaling calls of a deployment to SageMaker: bounds, the tracked metric, and the step up from zero."""

from __future__ import annotations

from typing import Any

from cloud.calls import ApiCall
from cloud.sagemaker.names import VARIANT, component_name, dimensions
from cloud.sagemaker.settings import SageMakerSettings


def scaling(settings: SageMakerSettings) -> list[ApiCall]:
    """Return the autoscaling calls; none if minimum and maximum are equal."""
    fixed_size = settings.mode == "real-time" and settings.max_instances == settings.instances
    if settings.mode == "serverless" or fixed_size:
        return []
    target = scalable_target(settings)
    minimum = settings.instances if settings.mode == "real-time" else 0
    bounds = {**target, "MinCapacity": minimum, "MaxCapacity": max(1, settings.max_instances)}
    policy = {
        "PolicyName": f"{settings.name}-load",
        **target,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": _tracking(settings),
    }
    calls = [
        ApiCall("application-autoscaling", "RegisterScalableTarget", bounds, "the bounds of its scaling"),
        ApiCall("application-autoscaling", "PutScalingPolicy", policy, "scaling with the load"),
    ]
    return calls + ([_from_zero(settings)] if minimum == 0 else [])


def scalable_target(settings: SageMakerSettings) -> dict[str, str]:
    """Return the scaled resource in the terms of Application Auto Scaling."""
    if settings.mode == "components":
        resource = f"inference-component/{component_name(settings)}"
        dimension = "inference-component:DesiredCopyCount"
    else:
        resource, dimension = f"endpoint/{settings.name}/variant/{VARIANT}", "variant:DesiredInstanceCount"
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": f"sagemaker:{dimension}"}


def alarm_name(settings: SageMakerSettings) -> str:
    """Return the name of the alarm that starts the first instance."""
    return f"{settings.name}-asked"


def from_zero_alarm(settings: SageMakerSettings, policy_arn: str) -> ApiCall:
    """Return the call for the alarm that starts the first instance; AWS assigns the policy's ARN."""
    is_async = settings.mode == "async"
    payload = {
        "AlarmName": alarm_name(settings),
        "AlarmActions": [policy_arn],
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity" if is_async else "NoCapacityInvocationFailures",
        "Dimensions": dimensions(settings)[:1],
        "Statistic": "Average" if is_async else "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
    }
    return ApiCall("cloudwatch", "PutMetricAlarm", payload, "the alarm that starts the first instance")


def _tracking(settings: SageMakerSettings) -> dict[str, Any]:
    tracking: dict[str, Any] = {
        "TargetValue": settings.target_concurrency,
        "ScaleInCooldown": settings.scale_in_seconds,
        "ScaleOutCooldown": settings.scale_out_seconds,
    }
    if settings.mode == "async":  # the queue length per instance
        metric = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Statistic": "Average",
            "Dimensions": [{"Name": "EndpointName", "Value": settings.name}],
        }
        return tracking | {"CustomizedMetricSpecification": metric}
    # High resolution: evaluated every ten seconds instead of every minute.
    is_component = settings.mode == "components"
    metric_name = "InferenceComponentConcurrentRequestsPerCopy" if is_component else "VariantConcurrentRequestsPerModel"
    specification = {"PredefinedMetricType": f"SageMaker{metric_name}HighResolution"}
    return tracking | {"PredefinedMetricSpecification": specification}


def _from_zero(settings: SageMakerSettings) -> ApiCall:
    """Return the policy that starts the first instance after a failed request.

    Tracking divides by the number of copies, so it can't scale up from zero.
    """
    step = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": settings.scale_out_seconds,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    }
    payload = {
        "PolicyName": f"{settings.name}-from-zero",
        **scalable_target(settings),
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": step,
    }
    return ApiCall("application-autoscaling", "PutScalingPolicy", payload, "the first instance, on demand")
