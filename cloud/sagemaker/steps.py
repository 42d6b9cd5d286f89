"""Steps of a deployment to SageMaker: whether a call's result exists, how to send it and how to wait for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from cloud.calls import ApiCall, CloudError, ReportLine, Step
from cloud.sagemaker import model_data, scaling
from cloud.sagemaker.names import component_name
from cloud.sagemaker.resources import account_id, endpoint_state, find_budget
from cloud.sagemaker.session import AwsSession, or_none, translate_errors
from cloud.sagemaker.settings import SageMakerSettings
from cloud.wait import wait_for

FAILED_STATES = ("Failed", "OutOfService", "UpdateRollbackFailed")
CHECK_LOG = "Check its log in CloudWatch."


class DeploymentSteps:
    """The steps of one deployment in one session."""

    def __init__(self, settings: SageMakerSettings, session: AwsSession, program: str) -> None:
        self._settings, self._session, self._program = settings, session, program

    def step(self, call: ApiCall) -> Step:
        """Return the step that sends `call`, unless its result exists."""
        payload, send = call.payload, partial(self._session.send, call)
        match call.operation:
            case "PutObject":
                return Step(call, partial(self._is_uploaded, payload), partial(self._upload, payload))
            case "CreateModel":
                return Step(call, partial(self._exists, "Model", model_name=payload["ModelName"]), send)
            case "CreateEndpointConfig":
                name = payload["EndpointConfigName"]
                return Step(call, partial(self._exists, "EndpointConfig", endpoint_config_name=name), send)
            case "CreateEndpoint":
                return Step(call, partial(self._is_deployed, payload), send, self.wait_for_endpoint)
            case "CreateInferenceComponent":
                name = payload["InferenceComponentName"]
                exists = partial(self._exists, "InferenceComponent", inference_component_name=name)
                return Step(call, exists, send, self.wait_for_component)
            case "CreateBudget":
                return Step(call, self._has_budget, partial(self._create_budget, call))
        return Step(call, _never, send)  # a Put operation can be repeated

    def scaling_step(self, call: ApiCall) -> Step:
        """Return the step for an autoscaling call, which can be repeated; the policy from zero also gets its alarm."""

        def send() -> None:
            response = self._session.send(call)
            if call.payload.get("PolicyType") == "StepScaling":
                self._session.send(scaling.from_zero_alarm(self._settings, str(response["PolicyARN"])))

        return Step(call, _never, send)

    def endpoint(self) -> Any:
        """Return the endpoint; `CloudError` if it doesn't exist."""
        endpoint = self._session.find("Endpoint", endpoint_name=self._settings.name)
        if endpoint is None:
            remedy = f"Deploy it: python {self._program} deploy."
            raise CloudError(f"There is no endpoint {self._settings.name}.", remedy)
        return endpoint

    def wait_for_endpoint(self, report: ReportLine, config_name: str | None = None) -> None:
        """Wait until the endpoint is in service; `CloudError` if it then has another configuration."""

        def state() -> str | None:
            endpoint = self.endpoint()
            if endpoint.endpoint_status in FAILED_STATES:
                reason = getattr(endpoint, "failure_reason", "") or "AWS gives no reason"
                raise CloudError(f"The endpoint is {endpoint.endpoint_status}: {reason}", CHECK_LOG)
            return None if endpoint.endpoint_status == "InService" else str(endpoint.endpoint_status)

        self._wait(state, report, "the endpoint")
        endpoint = self.endpoint()
        if config_name and endpoint.endpoint_config_name != config_name:
            reason = getattr(endpoint, "failure_reason", "")
            message = f"SageMaker went back to {endpoint.endpoint_config_name}. {reason}"
            raise CloudError(message.rstrip(), "Check the alarm that was triggered.")
        report("    the endpoint: InService")

    def wait_for_component(self, report: ReportLine) -> None:
        """Wait until the model on the endpoint is in service."""
        name = component_name(self._settings)

        def state() -> str | None:
            component = self._session.find("InferenceComponent", inference_component_name=name)
            status = component.inference_component_status if component else "missing"
            if status in ("Failed", "missing"):
                reason = getattr(component, "failure_reason", "") or "AWS gives no reason"
                raise CloudError(f"The model on the endpoint is {status}: {reason}", CHECK_LOG)
            return None if status == "InService" else str(status)

        self._wait(state, report, "the model")

    def _wait(self, state: Callable[[], str | None], report: ReportLine, subject: str) -> None:
        wait_for(
            state, report, subject=subject, seconds=self._settings.timeout_seconds, poll=self._settings.poll_seconds
        )

    def _exists(self, kind: str, **name: str) -> bool:
        return self._session.find(kind, **name) is not None

    def _is_deployed(self, payload: Mapping[str, Any]) -> bool:
        name = self._settings.name
        endpoint = self._session.find("Endpoint", endpoint_name=name)
        if endpoint is None:
            return False
        if endpoint.endpoint_status == "Failed":  # AWS allows only its deletion
            with translate_errors("DeleteEndpoint"):
                endpoint.delete()
            self._wait(partial(endpoint_state, self._session, name), _discard, "the failed endpoint")
            return False
        if endpoint.endpoint_config_name != payload["EndpointConfigName"] and endpoint.endpoint_status == "InService":
            remedy = f"To deploy these settings: python {self._program} update."
            raise CloudError("The endpoint exists with other settings.", remedy)
        return True

    def _is_uploaded(self, payload: Mapping[str, Any]) -> bool:
        with translate_errors("HeadObject"):
            client = self._session.client("s3")
            head = or_none(lambda: client.head_object(Bucket=payload["Bucket"], Key=payload["Key"]))
        return bool(head and head.get("Metadata", {}).get("sha256") == payload["Metadata"]["sha256"])

    def _upload(self, payload: Mapping[str, Any]) -> None:
        """Upload one file in parts, each with its checksum."""
        settings = self._settings
        uploads = model_data.uploads(settings.model, settings.name, archive=settings.archive)
        file = next(upload.file for upload in uploads if upload.key == payload["Key"])
        options = {"Metadata": payload["Metadata"], "ChecksumAlgorithm": "SHA256"}
        with translate_errors("PutObject"):
            self._session.client("s3").upload_file(str(file), payload["Bucket"], payload["Key"], ExtraArgs=options)

    def _has_budget(self) -> bool:
        return find_budget(self._settings, self._session) is not None

    def _create_budget(self, call: ApiCall) -> None:
        self._session.send(replace(call, payload={**call.payload, "AccountId": account_id(self._session)}))


def _never() -> bool:
    return False


def _discard(text: str) -> None:
    pass
