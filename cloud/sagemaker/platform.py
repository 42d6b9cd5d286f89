"""SageMaker's implementation of the deployment commands, through sagemaker-core and boto3."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud.calls import ApiCall, CloudError, ReportLine, Resource, Step, mask_secrets, run_steps
from cloud.sagemaker import calls, resources, scaling
from cloud.sagemaker.names import component_name
from cloud.sagemaker.session import AwsSession
from cloud.sagemaker.settings import SageMakerSettings
from cloud.sagemaker.steps import DeploymentSteps

# The calls that an update sends before the endpoint switches.
UPDATE_OPERATIONS = ("PutObject", "CreateModel", "CreateEndpointConfig", "PutMetricAlarm")


class SageMakerPlatform:
    """A deployment to SageMaker. Its state is only in AWS, so any machine can continue it."""

    title = "SageMaker"
    program = "cloud/deploy_sagemaker.py"
    file = Path(__file__).parent.parent / "sagemaker.toml"
    prefix = "SPACEPORT_SAGEMAKER"
    settings = SageMakerSettings

    def plan(self, settings: SageMakerSettings) -> Sequence[ApiCall]:
        plan = [*calls.deployment(settings), *scaling.scaling(settings)]
        return [_mask(call) if call.operation == "CreateModel" else call for call in plan]

    def steps(self, settings: SageMakerSettings) -> Sequence[Step]:
        steps = self._steps(settings)
        return [steps.step(call) for call in calls.deployment(settings)]

    def scaling(self, settings: SageMakerSettings) -> Sequence[Step]:
        steps = self._steps(settings)
        return [steps.scaling_step(call) for call in scaling.scaling(settings)]

    def update(self, settings: SageMakerSettings, report: ReportLine) -> None:
        steps, call = self._steps(settings), calls.update(settings)
        if steps.endpoint().endpoint_config_name == call.payload["EndpointConfigName"]:
            report("These settings are in service already.")
            return
        new = [step_call for step_call in calls.deployment(settings) if step_call.operation in UPDATE_OPERATIONS]
        resume, clean_up = f"python {self.program} update", f"python {self.program} delete"
        run_steps([steps.step(each) for each in new], report, resume=resume, clean_up=clean_up)
        self._switch(settings, call, calls.model_name(settings), report)

    def rollback(self, settings: SageMakerSettings, report: ReportLine) -> None:
        session = _session(settings)
        current = self._steps(settings).endpoint().endpoint_config_name
        previous = _previous_config(session, settings, current)
        if previous is None:
            raise CloudError(f"There is no version before {current}.", "Deploy another one with update.")
        report(f"Going back from {current} to {previous}.")
        payload = {**calls.update(settings).payload, "EndpointConfigName": previous}
        payload.pop("DeploymentConfig", None)  # a rollback is urgent: switch at once
        model = _model_of(session, previous) if settings.mode == "components" else ""
        self._switch(settings, ApiCall("sagemaker", "UpdateEndpoint", payload, "roll the endpoint back"), model, report)

    def resources(self, settings: SageMakerSettings) -> Sequence[Resource]:
        return resources.list_resources(settings, _session(settings))

    def delete(self, settings: SageMakerSettings, report: ReportLine) -> None:
        resources.delete_all(settings, _session(settings), report)

    def target(self, settings: SageMakerSettings) -> Mapping[str, Any]:
        entry: dict[str, Any] = {"kind": "sagemaker", "endpoint": settings.name, "region": settings.region}
        if settings.mode == "async":
            entry |= {"kind": "cloud.sagemaker.async_target", "output": settings.output}
            entry["poll_seconds"] = min(1.0, settings.poll_seconds)
        if settings.profile:
            entry["profile"] = settings.profile
        if settings.mode == "components":
            entry["component"] = component_name(settings)
        if settings.mode == "serverless":  # it can't stream
            entry["route"] = "whole"
        return entry | ({"url": settings.url} if settings.url else {})

    def price(self, settings: SageMakerSettings) -> str:
        return settings.price_row

    def _steps(self, settings: SageMakerSettings) -> DeploymentSteps:
        return DeploymentSteps(settings, _session(settings), self.program)

    def _switch(self, settings: SageMakerSettings, call: ApiCall, model: str, report: ReportLine) -> None:
        """Switch the endpoint to another configuration; with components, also switch the component to `model`."""
        session, steps = _session(settings), self._steps(settings)
        session.send(call)
        steps.wait_for_endpoint(report, config_name=str(call.payload["EndpointConfigName"]))
        if settings.mode == "components":
            payload = {
                "InferenceComponentName": component_name(settings),
                "Specification": calls.component_specification(settings) | {"ModelName": model},
            }
            session.send(ApiCall("sagemaker", "UpdateInferenceComponent", payload, "switch the component to its model"))
            steps.wait_for_component(report)


def _mask(call: ApiCall) -> ApiCall:
    """Return CreateModel for display. Its name still depends on the real values."""
    container = call.payload["PrimaryContainer"]
    container = {**container, "Environment": mask_secrets(container["Environment"])}
    return replace(call, payload={**call.payload, "PrimaryContainer": container})


def _session(settings: SageMakerSettings) -> AwsSession:
    return _cached_session(settings.region, settings.profile, settings.url)


@functools.cache
def _cached_session(region: str, profile: str | None, url: str | None) -> AwsSession:
    """Return one session for all calls: creating a client is slow."""
    return AwsSession(region, profile, url)


def _previous_config(session: AwsSession, settings: SageMakerSettings, current: str) -> str | None:
    """Return the newest configuration that is older than the one in service."""
    response = session.request(
        "sagemaker", "ListEndpointConfigs", NameContains=f"{settings.name}-", SortBy="CreationTime"
    )
    configs = sorted(response["EndpointConfigs"], key=lambda config: config["CreationTime"])
    names = [config["EndpointConfigName"] for config in configs]
    names = [name for name in names if resources.belongs_to(settings, name)]
    index = names.index(current) if current in names else len(names)
    return names[index - 1] if index else None


def _model_of(session: AwsSession, config_name: str) -> str:
    """Return the model of a configuration for components, from its tag."""
    config = session.find("EndpointConfig", endpoint_config_name=config_name)
    tags = session.request("sagemaker", "ListTags", ResourceArn=config.endpoint_config_arn)["Tags"]
    model = next((tag["Value"] for tag in tags if tag["Key"] == calls.MODEL_TAG), None)
    if model is None:
        raise CloudError(f"{config_name} has no tag that names its model.", "Deploy that version with update.")
    return str(model)
