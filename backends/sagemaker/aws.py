"""Who calls AWS, and how its calls are written and signed: by botocore's own serializer, signer and parser.

boto3's client would block a thread for as long as an answer streams. Here it only says how a call looks; what is sent
goes through `backends.http.client`, where a stream can be left at once.
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

# A token for the chat route is a presigned request; AWS takes none that is valid for longer.
TOKEN_SECONDS = 12 * 3600
SIGNED_URL = "https://sagemaker.amazonaws.com/"  # wherever the token is sent
SIGN_IN = "Run aws configure or aws sso login, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


@dataclass(frozen=True, slots=True)
class Signed:
    """A call as it is sent."""

    path: str
    headers: dict[str, str]
    body: bytes


class Identity:
    """One AWS identity in one region; everything here may block, so it is called in a thread."""

    def __init__(self, region: str | None = None, profile: str | None = None, url: str | None = None) -> None:
        self._region, self._profile, self._url = region, profile, url

    @property
    def region(self) -> str:
        """The region, from the target, the profile or the environment."""
        region = self._region or self._session.region_name or os.environ.get("AWS_REGION")
        if not region:
            raise NotConfigured("No AWS region is set.", "Set region in the target, or AWS_DEFAULT_REGION.")
        return region

    @property
    def url(self) -> str:
        """Where the runtime answers, without a slash at the end."""
        with _translated():
            return str(self._runtime.meta.endpoint_url).rstrip("/")

    def client(self, service: str) -> Any:
        """boto3's client of a service, for calls that are not streams."""
        with _translated():
            return self._session.client(service, region_name=self.region)

    def signed(self, operation: str, **parameters: Any) -> Signed:
        """A call of the runtime, checked and written by botocore from AWS's own model of it, and signed."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.serialize import create_serializer

        with _translated():
            model = self._runtime.meta.service_model
            serializer = create_serializer(model.metadata["protocol"])
            written = serializer.serialize_to_request(parameters, model.operation_model(operation))
            url = self.url + written["url_path"]
            request = AWSRequest(written["method"], url, data=written["body"], headers=written["headers"])
            SigV4Auth(self._credentials, model.signing_name, self.region).add_auth(request)
        return Signed(written["url_path"], dict(request.headers.items()), written["body"])

    def token(self) -> str:
        """A bearer token for the endpoint's chat route: a presigned request in base64, valid for `TOKEN_SECONDS`."""
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        host = urlsplit(SIGNED_URL).netloc
        request = AWSRequest("POST", SIGNED_URL, headers={"host": host}, params={"Action": "CallWithBearerToken"})
        with _translated():
            SigV4QueryAuth(self._credentials, "sagemaker", self.region, expires=TOKEN_SECONDS).add_auth(request)
        presigned = f"{str(request.url).removeprefix('https://')}&Version=1"
        return f"sagemaker-api-key-{base64.b64encode(presigned.encode()).decode()}"

    def parsed_error(self, status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
        """What AWS says of a refusal: `Error` with `Code` and `Message`, and the fields that its model has."""
        from botocore.parsers import create_parser

        model = self._runtime.meta.service_model
        parser = create_parser(model.metadata["protocol"])
        response = {"status_code": status, "headers": dict(headers.items()), "body": content}
        try:
            told = dict(parser.parse(response, model.operation_model("InvokeEndpoint").output_shape))
            shape = model.shape_for_error_code(told["Error"].get("Code", ""))
            return told | (dict(parser.parse(response, shape)) if shape else {})
        except Exception:  # a proxy's page, say: botocore's parser raises whatever it stumbles over
            return {"Error": {"Code": str(status), "Message": content[:300].decode("utf-8", "replace")}}

    @cached_property
    def _session(self) -> boto3.Session:
        import boto3

        with _translated():
            return boto3.Session(profile_name=self._profile)

    @cached_property
    def _runtime(self) -> Any:
        with _translated():
            return self._session.client("sagemaker-runtime", region_name=self.region, endpoint_url=self._url)

    @property
    def _credentials(self) -> ReadOnlyCredentials:
        """The keys of this moment, all of one generation; botocore renews them ahead of time."""
        found = self._session.get_credentials()
        if found is None:
            raise NotConfigured("There are no AWS credentials.", SIGN_IN)
        return found.get_frozen_credentials()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn what botocore raises before anything is sent into `NotConfigured`; its texts hold no secret."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ParamValidationError as error:
        raise NotConfigured(f"The target's settings are not what SageMaker takes: {error}", "Correct them.") from error
    except exceptions.NoRegionError as error:
        raise NotConfigured("No AWS region is set.", "Set region in the target, or AWS_DEFAULT_REGION.") from error
    except (exceptions.BotoCoreError, ValueError) as error:
        raise NotConfigured(f"AWS cannot be called: {str(error).rstrip('.')}.", SIGN_IN) from error
