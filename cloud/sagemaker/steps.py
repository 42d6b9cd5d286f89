"""How each call of a deployment to SageMaker is made: whether it is done already, and when it can be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cloud.calls import Call, CloudError, Say, Step
from cloud.command import wait_for
from cloud.sagemaker import calls as sagemaker_calls
from cloud.sagemaker import leftovers as sagemaker_leftovers
from cloud.sagemaker import model_data
from cloud.sagemaker import scaling as sagemaker_scaling
from cloud.sagemaker.session import Session, present, translated
from cloud.sagemaker.settings import Settings

BROKEN = ("Failed", "OutOfService", "UpdateRollbackFailed")
LOG = "Look at its log in CloudWatch."


class Steps:
    """The steps of one deployment, over one session."""

    def __init__(self, settings: Settings, session: Session, program: str) -> None:
        self._settings, self._session, self._program = settings, session, program

    def of(self, call: Call) -> Step:
        """The step that makes `call`, unless what it makes is there."""
        payload, make = call.payload, partial(self._session.make, call)
        if call.operation == "PutObject":
            return Step(call, partial(self._is_sent, payload), partial(self._send, payload))
        if call.operation == "CreateModel":
            return Step(call, partial(self._exists, "Model", model_name=payload["ModelName"]), make)
        if call.operation == "CreateEndpointConfig":
            name = payload["EndpointConfigName"]
            found = partial(self._exists, "EndpointConfig", endpoint_config_name=name)
            return Step(call, found, make)
        if call.operation == "CreateEndpoint":
            return Step(call, partial(self._is_deployed, payload), make, self.wait_for_endpoint)
        if call.operation == "CreateInferenceComponent":
            name = payload["InferenceComponentName"]
            found = partial(self._exists, "InferenceComponent", inference_component_name=name)
            return Step(call, found, make, self.wait_for_component)
        if call.operation == "CreateBudget":
            return Step(call, self._has_budget, partial(self._make_budget, payload))
        return Step(call, _never, make)  # what is put may be put again

    def scaling(self, call: Call) -> Step:
        """Bounds and policies may be put again; the one from nothing needs its alarm."""

        def make() -> None:
            answer = self._session.make(call)
            if call.payload.get("PolicyType") == "StepScaling":
                self._session.make(sagemaker_scaling.zero_alarm(self._settings, str(answer["PolicyARN"])))

        return Step(call, _never, make)

    def endpoint(self) -> Any:
        """The endpoint, or an error that says how to get one."""
        found = self._session.find("Endpoint", endpoint_name=self._settings.name)
        if found is None:
            raise CloudError(
                f"There is no endpoint {self._settings.name}.", f"Deploy it: python {self._program} deploy."
            )
        return found

    def wait_for_endpoint(self, say: Say, expected: str | None = None) -> None:
        """Wait until the endpoint is in service, with the configuration that is expected."""

        def state() -> str | None:
            found = self.endpoint()
            if found.endpoint_status in BROKEN:
                why = getattr(found, "failure_reason", "") or "no reason given"
                raise CloudError(f"The endpoint is {found.endpoint_status}: {why}", LOG)
            return None if found.endpoint_status == "InService" else str(found.endpoint_status)

        self._wait(state, say, "the endpoint")
        found = self.endpoint()
        if expected and found.endpoint_config_name != expected:
            why = getattr(found, "failure_reason", "")
            what = f"SageMaker went back to {found.endpoint_config_name}. {why}"
            raise CloudError(what.rstrip(), "Look at the alarm that rang.")
        say("    the endpoint: InService")

    def wait_for_component(self, say: Say) -> None:
        """Wait until the model on the endpoint is in service."""
        name = sagemaker_calls.component_name(self._settings)

        def state() -> str | None:
            found = self._session.find("InferenceComponent", inference_component_name=name)
            status = found.inference_component_status if found else "gone"
            if status in ("Failed", "gone"):
                why = getattr(found, "failure_reason", "") or "no reason given"
                raise CloudError(f"The model on the endpoint is {status}: {why}", LOG)
            return None if status == "InService" else str(status)

        self._wait(state, say, "the model")

    def _wait(self, state: Callable[[], str | None], say: Say, what: str) -> None:
        wait_for(state, say, what=what, seconds=self._settings.timeout_seconds, poll=self._settings.poll_seconds)

    def _exists(self, kind: str, **name: str) -> bool:
        return self._session.find(kind, **name) is not None

    def _is_deployed(self, payload: Mapping[str, Any]) -> bool:
        name = self._settings.name
        found = self._session.find("Endpoint", endpoint_name=name)
        if found is None:
            return False
        if found.endpoint_status == "Failed":  # it can only be deleted
            with translated("DeleteEndpoint"):
                found.delete()
            gone = partial(sagemaker_leftovers.endpoint_state, self._session, name)
            self._wait(gone, _quiet, "the endpoint that failed")
            return False
        if found.endpoint_config_name != payload["EndpointConfigName"] and found.endpoint_status == "InService":
            what = "The endpoint is there with other settings."
            raise CloudError(what, f"Bring these in: python {self._program} update.")
        return True

    def _is_sent(self, payload: Mapping[str, Any]) -> bool:
        with translated("HeadObject"):
            client = self._session.client("s3")
            head = present(lambda: client.head_object(Bucket=payload["Bucket"], Key=payload["Key"]))
        return bool(head and head.get("Metadata", {}).get("sha256") == payload["Metadata"]["sha256"])

    def _send(self, payload: Mapping[str, Any]) -> None:
        """Send one file in parts, each with its checksum."""
        chosen = self._settings
        files = model_data.uploads(chosen.model, chosen.name, archive=chosen.archive)
        file = next(upload.file for upload in files if upload.key == payload["Key"])
        more = {"Metadata": payload["Metadata"], "ChecksumAlgorithm": "SHA256"}
        with translated("PutObject"):
            self._session.client("s3").upload_file(str(file), payload["Bucket"], payload["Key"], ExtraArgs=more)

    def _has_budget(self) -> bool:
        return sagemaker_leftovers.budget(self._settings, self._session) is not None

    def _make_budget(self, payload: Mapping[str, Any]) -> None:
        given = {**payload, "AccountId": sagemaker_leftovers.account(self._session)}
        self._session.make(Call("budgets", "CreateBudget", given, "a budget that warns"))


def _never() -> bool:
    return False


def _quiet(text: str) -> None:
    pass
