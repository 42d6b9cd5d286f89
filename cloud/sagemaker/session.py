"""AWS clients of a deployment: resources of sagemaker-core and clients of boto3, with their errors translated."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from backends.kinds.sagemaker.aws import SIGN_IN
from cloud.calls import ApiCall, CloudError

# SageMaker reports a missing resource only in the message, other services have codes.
NOT_FOUND_PHRASES = ("could not find", "not found", "does not exist", "no such")
NOT_FOUND_CODES = (
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ObjectNotFoundException",
    "NotFoundException",
    "NoSuchKey",
    "404",
    "NoSuchBucket",
)


class AwsSession:
    """One identity in one region; the constructor makes no request."""

    def __init__(self, region: str, profile: str | None = None, url: str | None = None) -> None:
        self._region, self._profile, self._url = region, profile, url
        self._clients: dict[str, Any] = {}

    def send(self, call: ApiCall) -> Mapping[str, Any]:
        """Send a call: resources of SageMaker are created through sagemaker-core, other calls go through boto3."""
        from botocore import xform_name

        # sagemaker-core writes the memory of a serverless endpoint under another name, which AWS refuses.
        is_serverless = any("ServerlessConfig" in variant for variant in call.payload.get("ProductionVariants", []))
        with translate_errors(call.operation):
            if call.service == "sagemaker" and call.operation.startswith("Create") and not is_serverless:
                from sagemaker.core.utils.code_injection.codec import transform

                arguments = transform(dict(call.payload), f"{call.operation}Input")
                self._resource_class(call.operation.removeprefix("Create")).create(**arguments, **self._identity)
                return {}
            method = getattr(self.client(call.service), xform_name(call.operation))
            response: Mapping[str, Any] = method(**call.payload)
            return response

    def find(self, kind: str, **names: str) -> Any:
        """Return a SageMaker resource, or None if it doesn't exist."""
        with translate_errors(f"Describe{kind}"):
            return or_none(lambda: self._resource_class(kind).get(**names, **self._identity))

    def request(self, service: str, operation: str, **payload: Any) -> Mapping[str, Any]:
        """Send a request in the API's own names and return the response."""
        return self.send(ApiCall(service, operation, payload, operation))

    def client(self, service: str) -> Any:
        """Return boto3's client of a service; it is created once."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, region_name=self._region)
        return self._clients[service]

    def _resource_class(self, kind: str) -> Any:
        from sagemaker.core import resources

        return getattr(resources, kind)

    @property
    def _identity(self) -> dict[str, Any]:
        """The arguments of sagemaker-core's methods for identity and region."""
        return {"session": self._session, "region": self._region}

    @cached_property
    def _session(self) -> Any:
        import boto3

        with translate_errors("signing in"):
            session = boto3.Session(profile_name=self._profile, region_name=self._region)
        if self._url:  # sagemaker-core creates its own clients, which take the address from the session
            session.client = functools.partial(session.client, endpoint_url=self._url)
        return session


def or_none(request: Callable[[], Any]) -> Any:
    """Return the result of `request`, or None if AWS answers that the resource doesn't exist."""
    from botocore.exceptions import ClientError

    try:
        return request()
    except ClientError as error:
        if is_not_found(error):
            return None
        raise


def is_not_found(error: Any) -> bool:
    """Return whether AWS answered that a resource doesn't exist."""
    details = error.response["Error"]
    message = str(details.get("Message", "")).lower()
    return details.get("Code") in NOT_FOUND_CODES or any(phrase in message for phrase in NOT_FOUND_PHRASES)


@contextlib.contextmanager
def translate_errors(operation: str) -> Iterator[None]:
    """Turn what the SDKs raise into a `CloudError` with a remedy; their messages contain no secrets."""
    from boto3.exceptions import S3UploadFailedError
    from botocore import exceptions
    from pydantic import ValidationError

    try:
        yield
    except exceptions.ClientError as error:
        details = error.response["Error"]
        code, message = str(details.get("Code", "")), str(details.get("Message", ""))
        raise CloudError(f"AWS refused {operation} ({code}): {message}", _remedy(code, message, operation)) from error
    except S3UploadFailedError as error:
        raise CloudError(
            f"A file can't be uploaded to S3: {error}", "Check the bucket and its write access."
        ) from error
    except (exceptions.NoCredentialsError, exceptions.ProfileNotFound, exceptions.CredentialRetrievalError) as error:
        raise CloudError(f"There is no access to AWS: {error}.", SIGN_IN) from error
    except exceptions.ParamValidationError as error:
        raise CloudError(f"The settings make an invalid {operation}: {error}", "Fix them.") from error
    except exceptions.BotoCoreError as error:
        raise CloudError(f"{operation} did not reach AWS: {error}", "Check region, profile and network.") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:3])
        raise CloudError(f"The settings make an invalid {operation}: {problems}", "Fix them.") from error


def _remedy(code: str, message: str, operation: str) -> str:
    if "AccessDenied" in code or "not authorized" in message:
        return f"Allow {operation}: the policies in cloud/policies list every permission."
    if code == "ResourceLimitExceeded" or "service limit" in message:
        return "Request more of this instance type under Service Quotas, or choose another instance_type."
    if "Throttl" in code or "Rate exceeded" in message:
        return "AWS is busy: try again in a moment."
    if code in ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"):
        return SIGN_IN
    return "Change the settings accordingly."
