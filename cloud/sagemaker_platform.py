"""SageMaker as a platform: what each command does, through sagemaker-core's resources."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from cloud import model_data, sagemaker_calls, sagemaker_leftovers, sagemaker_scaling
from cloud.aws_session import Session, present, translated
from cloud.calls import Call, CloudError, Resource, Say, Step, carry_out, hidden
from cloud.command import wait_for
from cloud.sagemaker_settings import Settings

FILE = Path(__file__).with_name("sagemaker.toml")
PROGRAM = "cloud/deploy_sagemaker.py"


class SageMakerPlatform:
    """One deployment to SageMaker; its state is what AWS says, so that any machine can go on with it."""

    title = "SageMaker"
    program = PROGRAM
    file = FILE
    prefix = "SPACEPORT_SAGEMAKER"
    settings = Settings

    def plan(self, settings: Settings) -> Sequence[Call]:
        calls = [*sagemaker_calls.deployment(settings), *sagemaker_scaling.scaling(settings)]
        return [_shown(call) if call.operation == "CreateModel" else call for call in calls]

    def steps(self, settings: Settings) -> Sequence[Step]:
        session = _session(settings)
        return [self._step(settings, session, call) for call in sagemaker_calls.deployment(settings)]

    def scaling(self, settings: Settings) -> Sequence[Step]:
        session = _session(settings)
        return [_scaling_step(settings, session, call) for call in sagemaker_scaling.scaling(settings)]

    def update(self, settings: Settings, say: Say) -> None:
        session = _session(settings)
        found = self._endpoint(settings, session)
        call = sagemaker_calls.update(settings)
        if found.endpoint_config_name == call.payload["EndpointConfigName"]:
            say("These settings are in service already.")
            return
        # The new model and its configuration first; the endpoint itself is there.
        wanted = [
            self._step(settings, session, each)
            for each in sagemaker_calls.deployment(settings)
            if each.operation in ("PutObject", "CreateModel", "CreateEndpointConfig", "PutMetricAlarm")
        ]
        again = f"python {PROGRAM} update"
        carry_out(wanted, say, resume=again, clean_up=f"python {PROGRAM} delete")
        self._move(settings, session, call, say)

    def rollback(self, settings: Settings, say: Say) -> None:
        session = _session(settings)
        now = self._endpoint(settings, session).endpoint_config_name
        before = _before(session, settings, now)
        if before is None:
            raise CloudError(f"There is no version before {now}.", "Deploy another with update.")
        say(f"Going back from {now} to {before}.")
        payload = {**sagemaker_calls.update(settings).payload, "EndpointConfigName": before}
        payload.pop("DeploymentConfig", None)  # whoever goes back is in a hurry
        self._move(settings, session, Call("sagemaker", "UpdateEndpoint", payload, "the way back"), say)

    def resources(self, settings: Settings) -> Sequence[Resource]:
        return sagemaker_leftovers.found(settings, _session(settings))

    def delete(self, settings: Settings, say: Say) -> None:
        sagemaker_leftovers.delete(settings, _session(settings), say)

    def target(self, settings: Settings) -> Mapping[str, Any]:
        entry: dict[str, Any] = {"kind": "sagemaker", "endpoint": settings.name, "region": settings.region}
        if settings.profile:
            entry["profile"] = settings.profile
        if settings.mode == "components":
            entry["component"] = sagemaker_calls.component_name(settings)
        if settings.mode == "serverless":  # it cannot stream
            entry["route"] = "whole"
        return entry | ({"url": settings.url} if settings.url else {})

    def price(self, settings: Settings) -> str:
        return f"sagemaker/{settings.region}/{settings.instance_type}"

    def _step(self, settings: Settings, session: Session, call: Call) -> Step:
        found: Callable[[], bool]
        make: Callable[[], object] = partial(session.make, call)
        wait: Callable[[Say], None] | None = None
        payload = call.payload
        if call.operation == "PutObject":
            found, make = partial(_is_sent, session, payload), partial(_send, session, settings, payload)
        elif call.operation == "CreateEndpoint":
            found = partial(self._is_deployed, settings, session, payload)
            wait = partial(self._wait, settings, session, expected=None)
        elif call.operation == "CreateInferenceComponent":
            found = partial(_component_is_there, session, payload)
            wait = partial(_wait_for_component, settings, session)
        elif call.service == "sagemaker":
            kind = call.operation.removeprefix("Create")
            key, name = next(iter(payload.items())) if kind == "Model" else ("", payload.get("EndpointConfigName", ""))
            argument = "model_name" if key == "ModelName" else "endpoint_config_name"
            found = partial(_exists, session, kind, argument, str(name))
        elif call.operation == "CreateBudget":
            found = partial(_budget_is_there, settings, session)
            make = partial(_make_budget, session, payload)
        else:  # what is put may be put again
            found = _never
        return Step(call, found, make, wait)  # type: ignore[arg-type]  # what a call answers is of no use here

    def _is_deployed(self, settings: Settings, session: Session, payload: Mapping[str, Any]) -> bool:
        found = session.find("Endpoint", endpoint_name=settings.name)
        if found is None:
            return False
        if found.endpoint_status == "Failed":  # it can only be deleted
            with translated("DeleteEndpoint"):
                found.delete()
            gone = partial(sagemaker_leftovers.endpoint_state, session, settings.name)
            wait_for(
                gone,
                _quiet,
                what="the endpoint that failed",
                seconds=settings.timeout_seconds,
                poll=settings.poll_seconds,
            )
            return False
        if found.endpoint_config_name != payload["EndpointConfigName"] and found.endpoint_status == "InService":
            raise CloudError("The endpoint is there with other settings.", f"Bring these in: python {PROGRAM} update.")
        return True

    def _endpoint(self, settings: Settings, session: Session) -> Any:
        found = session.find("Endpoint", endpoint_name=settings.name)
        if found is None:
            raise CloudError(f"There is no endpoint {settings.name}.", f"Deploy it: python {PROGRAM} deploy.")
        return found

    def _move(self, settings: Settings, session: Session, call: Call, say: Say) -> None:
        """Bring another configuration into service; with components the model is moved too."""
        session.make(call)
        self._wait(settings, session, say, expected=str(call.payload["EndpointConfigName"]))
        if settings.mode == "components":
            specification = sagemaker_calls.component_specification(settings)
            payload = {
                "InferenceComponentName": sagemaker_calls.component_name(settings),
                "Specification": specification,
            }
            session.make(Call("sagemaker", "UpdateInferenceComponent", payload, "the model on it"))
            _wait_for_component(settings, session, say)

    def _wait(self, settings: Settings, session: Session, say: Say, *, expected: str | None) -> None:
        """Wait until the endpoint is in service, with the configuration that is expected."""

        def state() -> str | None:
            found = self._endpoint(settings, session)
            if found.endpoint_status == "InService":
                return None
            if found.endpoint_status in ("Failed", "OutOfService", "UpdateRollbackFailed"):
                why = getattr(found, "failure_reason", "") or "no reason given"
                raise CloudError(f"The endpoint is {found.endpoint_status}: {why}", "Look at its log in CloudWatch.")
            return str(found.endpoint_status)

        wait_for(state, say, what="the endpoint", seconds=settings.timeout_seconds, poll=settings.poll_seconds)
        found = self._endpoint(settings, session)
        if expected and found.endpoint_config_name != expected:
            why = getattr(found, "failure_reason", "")
            raise CloudError(
                f"SageMaker went back to {found.endpoint_config_name}. {why}", "Look at the alarm that rang."
            )
        say("    the endpoint: InService")


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


def _quiet(text: str) -> None:
    pass


def _never() -> bool:
    return False


def _exists(session: Session, kind: str, argument: str, name: str) -> bool:
    return session.find(kind, **{argument: name}) is not None


def _is_sent(session: Session, payload: Mapping[str, Any]) -> bool:
    with translated("HeadObject"):
        client = session.client("s3")
        head = present(lambda: client.head_object(Bucket=payload["Bucket"], Key=payload["Key"]))
    return bool(head and head.get("Metadata", {}).get("sha256") == payload["Metadata"]["sha256"])


def _send(session: Session, settings: Settings, payload: Mapping[str, Any]) -> None:
    """Send one file in parts, each with its checksum."""
    files = model_data.uploads(settings.model, settings.name, archive=settings.archive)
    file = next(upload.file for upload in files if upload.key == payload["Key"])
    more = {"Metadata": payload["Metadata"], "ChecksumAlgorithm": "SHA256"}
    with translated("PutObject"):
        session.client("s3").upload_file(str(file), payload["Bucket"], payload["Key"], ExtraArgs=more)


def _component_is_there(session: Session, payload: Mapping[str, Any]) -> bool:
    return session.find("InferenceComponent", inference_component_name=payload["InferenceComponentName"]) is not None


def _wait_for_component(settings: Settings, session: Session, say: Say) -> None:
    name = sagemaker_calls.component_name(settings)

    def state() -> str | None:
        found = session.find("InferenceComponent", inference_component_name=name)
        status = found.inference_component_status if found else "gone"
        if status in ("Failed", "gone"):
            why = getattr(found, "failure_reason", "") or "no reason given"
            raise CloudError(f"The model on the endpoint is {status}: {why}", "Look at its log in CloudWatch.")
        return None if status == "InService" else str(status)

    wait_for(state, say, what="the model", seconds=settings.timeout_seconds, poll=settings.poll_seconds)


def _scaling_step(settings: Settings, session: Session, call: Call) -> Step:
    """Bounds and policies may be put again; the one from nothing needs its alarm."""

    def make() -> None:
        answer = session.make(call)
        if call.payload.get("PolicyType") == "StepScaling":
            session.make(sagemaker_scaling.zero_alarm(settings, str(answer["PolicyARN"])))

    return Step(call, _never, make)


def _before(session: Session, settings: Settings, now: str) -> str | None:
    """The configuration that was made last before the one in service."""
    told = session.ask("sagemaker", "ListEndpointConfigs", NameContains=f"{settings.name}-", SortBy="CreationTime")
    found = sorted(told["EndpointConfigs"], key=lambda each: each["CreationTime"])
    names = [
        each["EndpointConfigName"] for each in found if sagemaker_leftovers.ours(settings, each["EndpointConfigName"])
    ]
    at = names.index(now) if now in names else len(names)
    return names[at - 1] if at else None


def _budget_is_there(settings: Settings, session: Session) -> bool:
    return sagemaker_leftovers.budget(settings, session) is not None


def _make_budget(session: Session, payload: Mapping[str, Any]) -> None:
    given = {**payload, "AccountId": sagemaker_leftovers.account(session)}
    session.make(Call("budgets", "CreateBudget", given, "a budget that warns"))
