"""SageMaker as a platform: what each command does, through sagemaker-core's resources."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud.calls import Call, CloudError, Resource, Say, Step, carry_out, hidden
from cloud.sagemaker import calls as sagemaker_calls
from cloud.sagemaker import leftovers as sagemaker_leftovers
from cloud.sagemaker import scaling as sagemaker_scaling
from cloud.sagemaker.session import Session
from cloud.sagemaker.settings import Settings
from cloud.sagemaker.steps import Steps

# What an update makes anew before the endpoint is moved.
RENEWED = ("PutObject", "CreateModel", "CreateEndpointConfig", "PutMetricAlarm")


class SageMakerPlatform:
    """One deployment to SageMaker; its state is what AWS says, so that any machine can go on with it."""

    title = "SageMaker"
    program = "cloud/deploy_sagemaker.py"
    file = Path(__file__).parent.parent / "sagemaker.toml"
    prefix = "SPACEPORT_SAGEMAKER"
    settings = Settings

    def plan(self, settings: Settings) -> Sequence[Call]:
        calls = [*sagemaker_calls.deployment(settings), *sagemaker_scaling.scaling(settings)]
        return [_shown(call) if call.operation == "CreateModel" else call for call in calls]

    def steps(self, settings: Settings) -> Sequence[Step]:
        steps = self._steps(settings)
        return [steps.of(call) for call in sagemaker_calls.deployment(settings)]

    def scaling(self, settings: Settings) -> Sequence[Step]:
        steps = self._steps(settings)
        return [steps.scaling(call) for call in sagemaker_scaling.scaling(settings)]

    def update(self, settings: Settings, say: Say) -> None:
        steps, call = self._steps(settings), sagemaker_calls.update(settings)
        if steps.endpoint().endpoint_config_name == call.payload["EndpointConfigName"]:
            say("These settings are in service already.")
            return
        calls = [each for each in sagemaker_calls.deployment(settings) if each.operation in RENEWED]
        again, clean_up = f"python {self.program} update", f"python {self.program} delete"
        carry_out([steps.of(each) for each in calls], say, resume=again, clean_up=clean_up)
        self._move(settings, call, sagemaker_calls.model_name(settings), say)

    def rollback(self, settings: Settings, say: Say) -> None:
        session = _session(settings)
        now = self._steps(settings).endpoint().endpoint_config_name
        before = _before(session, settings, now)
        if before is None:
            raise CloudError(f"There is no version before {now}.", "Deploy another with update.")
        say(f"Going back from {now} to {before}.")
        payload = {**sagemaker_calls.update(settings).payload, "EndpointConfigName": before}
        payload.pop("DeploymentConfig", None)  # whoever goes back is in a hurry
        model = _model_of(session, before) if settings.mode == "components" else ""
        self._move(settings, Call("sagemaker", "UpdateEndpoint", payload, "the way back"), model, say)

    def resources(self, settings: Settings) -> Sequence[Resource]:
        return sagemaker_leftovers.found(settings, _session(settings))

    def delete(self, settings: Settings, say: Say) -> None:
        sagemaker_leftovers.delete(settings, _session(settings), say)

    def target(self, settings: Settings) -> Mapping[str, Any]:
        entry: dict[str, Any] = {"kind": "sagemaker", "endpoint": settings.name, "region": settings.region}
        if settings.mode == "async":
            entry |= {"kind": "cloud.sagemaker.async_target", "output": settings.output}
            entry["poll_seconds"] = min(1.0, settings.poll_seconds)
        if settings.profile:
            entry["profile"] = settings.profile
        if settings.mode == "components":
            entry["component"] = sagemaker_calls.component_name(settings)
        if settings.mode == "serverless":  # it cannot stream
            entry["route"] = "whole"
        return entry | ({"url": settings.url} if settings.url else {})

    def price(self, settings: Settings) -> str:
        return f"sagemaker/{settings.region}/{settings.instance_type}"

    def _steps(self, settings: Settings) -> Steps:
        return Steps(settings, _session(settings), self.program)

    def _move(self, settings: Settings, call: Call, model: str, say: Say) -> None:
        """Bring another configuration into service; with components the one on it gets its `model`."""
        session, steps = _session(settings), self._steps(settings)
        session.make(call)
        steps.wait_for_endpoint(say, expected=str(call.payload["EndpointConfigName"]))
        if settings.mode == "components":
            payload = {
                "InferenceComponentName": sagemaker_calls.component_name(settings),
                "Specification": sagemaker_calls.component_specification(settings) | {"ModelName": model},
            }
            session.make(Call("sagemaker", "UpdateInferenceComponent", payload, "the model on it"))
            steps.wait_for_component(say)


def _shown(call: Call) -> Call:
    """The model as the plan may show it; its name is made of what is really sent."""
    container = call.payload["PrimaryContainer"]
    container = {**container, "Environment": hidden(container["Environment"])}
    return replace(call, payload={**call.payload, "PrimaryContainer": container})


def _session(settings: Settings) -> Session:
    return _signed_in(settings.region, settings.profile, settings.url)


@functools.cache
def _signed_in(region: str, profile: str | None, url: str | None) -> Session:
    """One session for all calls: a client is costly to make."""
    return Session(region, profile, url)


def _before(session: Session, settings: Settings, now: str) -> str | None:
    """The configuration that was made last before the one in service."""
    told = session.ask("sagemaker", "ListEndpointConfigs", NameContains=f"{settings.name}-", SortBy="CreationTime")
    found = sorted(told["EndpointConfigs"], key=lambda each: each["CreationTime"])
    names = [each["EndpointConfigName"] for each in found]
    names = [name for name in names if sagemaker_leftovers.ours(settings, name)]
    at = names.index(now) if now in names else len(names)
    return names[at - 1] if at else None


def _model_of(session: Session, config: str) -> str:
    """The model that belonged to a configuration for components, which itself names none: its tag does."""
    found = session.find("EndpointConfig", endpoint_config_name=config)
    tags = session.ask("sagemaker", "ListTags", ResourceArn=found.endpoint_config_arn)["Tags"]
    model = next((tag["Value"] for tag in tags if tag["Key"] == sagemaker_calls.MODEL_TAG), None)
    if model is None:
        raise CloudError(f"{config} does not say which model belonged to it.", "Deploy that version with update.")
    return str(model)
