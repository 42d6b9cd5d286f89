"""How a deployment to SageMaker scales: between which bounds, by what, and from nothing."""

from __future__ import annotations

from typing import Any

from cloud.calls import Call
from cloud.sagemaker.calls import VARIANT, component_name, dimensions
from cloud.sagemaker.settings import Settings


def scaling(chosen: Settings) -> list[Call]:
    """Between which bounds it scales, and by what; nothing where the bounds leave no room."""
    if chosen.mode == "serverless" or (chosen.mode == "real-time" and chosen.max_instances == chosen.instances):
        return []
    told = scalable(chosen)
    lowest = chosen.instances if chosen.mode == "real-time" else 0
    bounds = {**told, "MinCapacity": lowest, "MaxCapacity": max(1, chosen.max_instances)}
    policy = {
        "PolicyName": f"{chosen.name}-load",
        **told,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": _tracking(chosen),
    }
    calls = [
        Call("application-autoscaling", "RegisterScalableTarget", bounds, "the bounds of its scaling"),
        Call("application-autoscaling", "PutScalingPolicy", policy, "scaling with the load"),
    ]
    return calls + ([_from_zero(chosen)] if lowest == 0 else [])


def scalable(chosen: Settings) -> dict[str, str]:
    """What scales, in the words of Application Auto Scaling."""
    if chosen.mode == "components":
        resource, dimension = f"inference-component/{component_name(chosen)}", "inference-component:DesiredCopyCount"
    else:
        resource, dimension = f"endpoint/{chosen.name}/variant/{VARIANT}", "variant:DesiredInstanceCount"
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": f"sagemaker:{dimension}"}


def _tracking(chosen: Settings) -> dict[str, Any]:
    told: dict[str, Any] = {
        "TargetValue": chosen.target_concurrency,
        "ScaleInCooldown": chosen.scale_in_seconds,
        "ScaleOutCooldown": chosen.scale_out_seconds,
    }
    if chosen.mode == "async":  # what waits in the queue, for each instance
        dimension = [{"Name": "EndpointName", "Value": chosen.name}]
        metric = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Statistic": "Average",
        }
        return told | {"CustomizedMetricSpecification": metric | {"Dimensions": dimension}}
    # Of high resolution: looked at every ten seconds, not every minute.
    part = (
        "InferenceComponentConcurrentRequestsPerCopy"
        if chosen.mode == "components"
        else "VariantConcurrentRequestsPerModel"
    )
    return told | {"PredefinedMetricSpecification": {"PredefinedMetricType": f"SageMaker{part}HighResolution"}}


def _from_zero(chosen: Settings) -> Call:
    """Tracking divides by the copies: from none the first one is brought by a request that found nothing."""
    step = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": chosen.scale_out_seconds,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    }
    told = {
        "PolicyName": f"{chosen.name}-from-zero",
        **scalable(chosen),
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": step,
    }
    return Call("application-autoscaling", "PutScalingPolicy", told, "the first instance, when one is asked for")


def zero_alarm(chosen: Settings, policy_arn: str) -> Call:
    """The alarm that asks for the first instance; it names the policy by what AWS has called it."""
    asynchronous = chosen.mode == "async"
    told = {
        "AlarmName": f"{chosen.name}-asked",
        "AlarmActions": [policy_arn],
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity" if asynchronous else "NoCapacityInvocationFailures",
        "Dimensions": dimensions(chosen)[:1],
        "Statistic": "Average" if asynchronous else "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
    }
    return Call("cloudwatch", "PutMetricAlarm", told, "the alarm that brings the first instance")
