"""AWS as a deployment uses it: resources of sagemaker-core, clients of boto3, one border for their errors."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from backends.sagemaker.aws import SIGN_IN
from cloud.calls import Call, CloudError

GONE = ("could not find", "not found", "does not exist", "no such")
GONE_CODES = (
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ObjectNotFoundException",
    "NotFoundException",
    "NoSuchKey",
    "404",
    "NoSuchBucket",
)


class Session:
    """One identity in one region; nothing is asked of AWS before the first call."""

    def __init__(self, region: str, profile: str | None = None, url: str | None = None) -> None:
        self._region, self._profile, self._url = region, profile, url
        self._clients: dict[str, Any] = {}

    def make(self, call: Call) -> Mapping[str, Any]:
        """Make a call: SageMaker's through the resource of sagemaker-core that it creates, others through boto3."""
        from botocore import xform_name

        # sagemaker-core writes the memory of a serverless endpoint under another name, which AWS refuses.
        serverless = any("ServerlessConfig" in each for each in call.payload.get("ProductionVariants", []))
        with translated(call.operation):
            if call.service == "sagemaker" and call.operation.startswith("Create") and not serverless:
                from sagemaker.core.utils.code_injection.codec import transform

                given = transform(dict(call.payload), f"{call.operation}Input")
                self.resource(call.operation.removeprefix("Create")).create(**given, **self.where)
                return {}
            answer: Mapping[str, Any] = getattr(self.client(call.service), xform_name(call.operation))(**call.payload)
            return answer

    def find(self, kind: str, **names: str) -> Any:
        """A resource of SageMaker, or None where there is none."""
        with translated(f"Describe{kind}"):
            return present(lambda: self.resource(kind).get(**names, **self.where))

    def ask(self, service: str, operation: str, **payload: Any) -> Mapping[str, Any]:
        """A question to a service, in the API's own names."""
        return self.make(Call(service, operation, payload, operation))

    def resource(self, kind: str) -> Any:
        """A resource class of sagemaker-core."""
        from sagemaker.core import resources

        return getattr(resources, kind)

    def client(self, service: str) -> Any:
        """boto3's client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, region_name=self._region)
        return self._clients[service]

    @property
    def where(self) -> dict[str, Any]:
        """What every resource is told: who calls, and in which region."""
        return {"session": self._session, "region": self._region}

    @cached_property
    def _session(self) -> Any:
        import boto3

        with translated("signing in"):
            session = boto3.Session(profile_name=self._profile, region_name=self._region)
        if self._url:  # sagemaker-core makes its own clients: the session tells them the address
            session.client = functools.partial(session.client, endpoint_url=self._url)
        return session


def present(ask: Callable[[], Any]) -> Any:
    """What `ask` gives, or None where AWS says that it is not there."""
    from botocore.exceptions import ClientError

    try:
        return ask()
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def is_gone(error: Any) -> bool:
    """Whether AWS says that something is not there; SageMaker says it in words."""
    told = error.response["Error"]
    return told.get("Code") in GONE_CODES or any(word in str(told.get("Message", "")).lower() for word in GONE)


@contextlib.contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn what the SDKs raise into a `CloudError` with a remedy; their texts hold no secret."""
    from boto3.exceptions import S3UploadFailedError
    from botocore import exceptions
    from pydantic import ValidationError

    try:
        yield
    except exceptions.ClientError as error:
        told = error.response["Error"]
        code, said = str(told.get("Code", "")), str(told.get("Message", ""))
        raise CloudError(f"AWS refused {operation} ({code}): {said}", _remedy(code, said, operation)) from error
    except S3UploadFailedError as error:
        raise CloudError(
            f"A file could not be sent to S3: {error}", "Check the bucket and who may write to it."
        ) from error
    except (exceptions.NoCredentialsError, exceptions.ProfileNotFound, exceptions.CredentialRetrievalError) as error:
        raise CloudError(f"AWS cannot be called: {error}.", SIGN_IN) from error
    except exceptions.ParamValidationError as error:
        raise CloudError(f"The settings do not make a valid {operation}: {error}", "Correct them.") from error
    except exceptions.BotoCoreError as error:
        raise CloudError(f"{operation} did not reach AWS: {error}", "Check region, profile and network.") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:3])
        raise CloudError(f"The settings do not make a valid {operation}: {told}", "Correct them.") from error


def _remedy(code: str, said: str, operation: str) -> str:
    if "AccessDenied" in code or "not authorized" in said:
        return f"Allow {operation}: the policies under cloud/policies name all that is needed."
    if code == "ResourceLimitExceeded" or "service limit" in said:
        return "Ask for more of this instance type under Service Quotas, or take another instance_type."
    if "Throttl" in code or "Rate exceeded" in said:
        return "AWS is busy: go on in a moment."
    if code in ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"):
        return SIGN_IN
    return "Change the settings as it says."
