"""Names, tags and metric dimensions of a deployment's resources, as far as they depend only on its name."""

from __future__ import annotations

from cloud.sagemaker.settings import SageMakerSettings

VARIANT = "main"


def alarm_names(settings: SageMakerSettings) -> list[str]:
    """Return the alarms that roll an update back, the deployment's own first."""
    return [f"{settings.name}-errors", *settings.alarms]


def component_name(settings: SageMakerSettings) -> str:
    """Return the name of the inference component."""
    return f"{settings.name}-model"


def budget_name(settings: SageMakerSettings) -> str:
    """Return the name of the budget."""
    return f"{settings.name}-budget"


def tags(settings: SageMakerSettings) -> list[dict[str, str]]:
    """Return the tags of every resource."""
    values = {"project": "spaceport", "deployment": settings.name, **settings.tags}
    return [{"Key": key, "Value": value} for key, value in values.items()]


def dimensions(settings: SageMakerSettings) -> list[dict[str, str]]:
    """Return the CloudWatch dimensions of the endpoint's metrics."""
    if settings.mode == "components":
        return [{"Name": "InferenceComponentName", "Value": component_name(settings)}]
    return [{"Name": "EndpointName", "Value": settings.name}, {"Name": "VariantName", "Value": VARIANT}]
