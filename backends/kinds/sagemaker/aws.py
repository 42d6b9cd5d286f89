"""AWS credentials, and signed SageMaker calls from botocore's serializer, signer and parser.

boto3's client would block a thread while an answer streams. Here botocore only prepares the call; `backends.http`
sends it, so that a stream can be closed at once.
"""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backends.errors import NotConfigured

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import ReadOnlyCredentials

# A token for the chat route is a presigned request; this is the longest validity that AWS accepts.
TOKEN_SECONDS = 12 * 3600
SIGNED_URL = "https://sagemaker.amazonaws.com/"  # for tokens to any address
SIGN_IN = "Run aws configure or aws sso login, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


@dataclass(frozen=True, slots=True)
class SignedCall:
    """The path, headers and body to send."""

    path: str
    headers: dict[str, str]
    body: bytes


class Identity:
    """One AWS identity in one region. Every method may block, so call it in a thread."""

    def __init__(
        self, region: str | None = None, profile: str | None = None, url: str | None = None, ca: str | None = None
    ) -> None:
        self._region, self._profile, self._url, self._ca = region, profile, url, ca

    @property
    def region(self) -> str:
        """The region, from the target, the profile or the environment."""
        region = self._region or self._session.region_name or os.environ.get("AWS_REGION")
        if not region:
            raise NotConfigured("No AWS region is set.", "Set region in the target, or AWS_DEFAULT_REGION.")
        return region

    @property
    def url(self) -> str:
        """The address of the SageMaker runtime, without a slash at the end."""
        with _translate_errors():
            return str(self._runtime.meta.endpoint_url).rstrip("/")

    def client(self, service: str) -> Any:
        """boto3's client for a service, for calls that don't stream."""
        with _translate_errors():
            return self._session.client(service, region_name=self.region, verify=self._ca)

    def sign(self, operation: str, **parameters: Any) -> SignedCall:
        """A signed call of the runtime; botocore validates and serializes it by AWS's service model."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.serialize import create_serializer

        with _translate_errors():
            model = self._runtime.meta.service_model
            serializer = create_serializer(model.metadata["protocol"])
            call = serializer.serialize_to_request(parameters, model.operation_model(operation))
            url = self.url + call["url_path"]
            request = AWSRequest(call["method"], url, data=call["body"], headers=call["headers"])
            SigV4Auth(self._credentials, model.signing_name, self.region).add_auth(request)
        return SignedCall(call["url_path"], dict(request.headers.items()), call["body"])

    def token(self) -> str:
        """A bearer token for the endpoint's chat route: a presigned request in base64, valid for `TOKEN_SECONDS`."""
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        host = urlsplit(SIGNED_URL).netloc
        request = AWSRequest("POST", SIGNED_URL, headers={"host": host}, params={"Action": "CallWithBearerToken"})
        with _translate_errors():
            SigV4QueryAuth(self._credentials, "sagemaker", self.region, expires=TOKEN_SECONDS).add_auth(request)
        presigned = f"{str(request.url).removeprefix('https://')}&Version=1"
        return f"sagemaker-api-key-{base64.b64encode(presigned.encode()).decode()}"

    def parse_error(self, status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
        """The fields of an error response: `Error` with `Code` and `Message`, and those of its shape in the model."""
        from botocore.parsers import create_parser

        model = self._runtime.meta.service_model
        parser = create_parser(model.metadata["protocol"])
        response = {"status_code": status, "headers": dict(headers.items()), "body": content}
        try:
            fields = dict(parser.parse(response, model.operation_model("InvokeEndpoint").output_shape))
            shape = model.shape_for_error_code(fields["Error"].get("Code", ""))
            return fields | (dict(parser.parse(response, shape)) if shape else {})
        except Exception:  # botocore's parser raises anything for other content, such as a proxy's page
            return {"Error": {"Code": str(status), "Message": content[:300].decode("utf-8", "replace")}}

    @cached_property
    def _session(self) -> boto3.Session:
        import boto3

        with _translate_errors():
            return boto3.Session(profile_name=self._profile)

    @cached_property
    def _runtime(self) -> Any:
        with _translate_errors():
            return self._session.client("sagemaker-runtime", region_name=self.region, endpoint_url=self._url)

    @property
    def _credentials(self) -> ReadOnlyCredentials:
        """A consistent snapshot of the current keys; botocore renews them before they expire."""
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NotConfigured("There are no AWS credentials.", SIGN_IN)
        return credentials.get_frozen_credentials()


@contextlib.contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn what botocore raises before it sends anything into `NotConfigured`; its messages contain no secrets."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ParamValidationError as error:
        raise NotConfigured(f"SageMaker does not accept the target's settings: {error}", "Fix them.") from error
    except exceptions.NoRegionError as error:
        raise NotConfigured("No AWS region is set.", "Set region in the target, or AWS_DEFAULT_REGION.") from error
    except (exceptions.BotoCoreError, ValueError) as error:
        raise NotConfigured(f"AWS cannot be called: {str(error).rstrip('.')}.", SIGN_IN) from error
