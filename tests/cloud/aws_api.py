"""A fake AWS on a local port, for the real SDKs: moto, extended by what it doesn't support.

moto has no UpdateEndpoint, no inference components and no invocations. Here an update is `Updating` for some requests
before the other configuration is in service, and so is a component. An invocation goes to a real model server, whose
answer is sent in AWS's event stream. Tests can make each call fail.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx2
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.backends.event_stream import framed
from tests.helpers import servers

POLLS = 2  # requests until a new resource is ready
ARN = "arn:aws:sagemaker:us-east-1:123456789012"


@dataclass
class Fault:
    """Makes the next call of `operation` fail, before or after it takes effect."""

    operation: str
    status: int = 400
    code: str = "ThrottlingException"
    message: str = "Rate exceeded"
    after: bool = False


@dataclass
class AwsApi:
    """The server's address, its recorded requests, its state and its faults."""

    url: str = ""
    moto: str = ""
    model: str = ""  # the address of the model's server
    requests: list[str] = field(default_factory=list)
    payloads: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    moving: dict[str, int] = field(default_factory=dict)  # requests until each endpoint is ready
    configs: dict[str, str] = field(default_factory=dict)  # configuration of each updated endpoint
    components: dict[str, dict[str, Any]] = field(default_factory=dict)
    without_model: set[str] = field(default_factory=set)  # configurations without a model
    scalable: dict[str, dict[str, Any]] = field(default_factory=dict)  # scalable targets of components
    last_model: str = ""
    rolls_back: bool = False  # the next update triggers its alarm

    def reset(self) -> None:
        """Remove all state but the addresses."""
        httpx2.post(f"{self.moto}/moto-api/reset")
        vars(self).update(vars(AwsApi(self.url, self.moto, self.model)))

    def fault(self, operation: str) -> Fault | None:
        for fault in self.faults:
            if fault.operation == operation:
                self.faults.remove(fault)
                return fault
        return None

    def operations(self, *prefixes: str) -> list[str]:
        return [name for name in self.requests if name.startswith(prefixes or ("",))]


@contextlib.contextmanager
def serving(model: str = "") -> Iterator[AwsApi]:
    """Run AWS without resources; the server at `model` answers invocations."""
    from moto.server import ThreadedMotoServer  # a second, also in test processes that only collect this folder

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    api = AwsApi(moto=f"http://{host}:{port}", model=model)
    try:
        with servers.serving_app(_app(api)) as port:
            api.url = f"http://127.0.0.1:{port}"
            yield api
    finally:
        moto.stop()


def _app(api: AwsApi) -> Starlette:
    async def answer(request: Request) -> Response:
        body = await request.body()
        operation = await _operation(request, body)
        api.requests.append(operation)
        if operation == "CreateModel":
            api.last_model = json.loads(body)["ModelName"]
        fault = api.fault(operation)
        if fault and not fault.after:
            return _error(fault.status, fault.code, fault.message)
        if request.url.path.endswith("/async-invocations"):
            response = await _invoke_async(api, request)
        elif "/invocations" in request.url.path:
            response = await _invoke(api, request, body)
        elif handler := _HANDLERS.get(operation):
            payload = json.loads(body)
            api.payloads[operation] = payload
            response = await handler(api, request, payload, body)
        else:
            response = await _forward(api, request, body)
        return _error(fault.status, fault.code, fault.message) if fault else response

    methods = ["GET", "POST", "PUT", "DELETE", "HEAD"]
    return Starlette(routes=[Route("/{path:path}", answer, methods=methods)])


async def _operation(request: Request, body: bytes) -> str:
    """Return the call's name: a header in most protocols, a field in the query protocol, the path in others."""
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if "/operation/" in request.url.path:  # Smithy's own protocol
        return request.url.path.rpartition("/")[2]
    if b"Action=" in body:
        return body.partition(b"Action=")[2].partition(b"&")[0].decode()
    names = {"PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
    return names.get(request.method, f"{request.method} {request.url.path}")


async def _forward(api: AwsApi, request: Request, body: bytes) -> Response:
    headers = {
        name: value for name, value in request.headers.items() if name not in ("transfer-encoding", "content-length")
    }
    url = f"{api.moto}{request.url.path}{f'?{request.url.query}' if request.url.query else ''}"
    async with servers.client() as client:
        response = await client.request(request.method, url, content=body, headers=headers)
    headers = {
        name: value for name, value in response.headers.items() if name not in ("transfer-encoding", "connection")
    }
    return Response(response.content, response.status_code, headers)


def _error(status: int, code: str, message: str) -> Response:
    body = {"__type": code, "message": message}
    return JSONResponse(body, status, {"x-amzn-errortype": code, "x-amzn-query-error": f"{code};Sender"})


def _shortened(question: bytes) -> bytes:
    """Ask the model for a few tokens: no test needs a long answer, and each token takes 30 ms of CPU time."""
    body = json.loads(question)
    return json.dumps(body | {"max_tokens": min(8, body.get("max_tokens", 8))}).encode()


async def _invoke(api: AwsApi, request: Request, body: bytes) -> Response:
    """Return the container's answer; a stream is sent in frames that split lines."""
    url, body = f"{api.model}/invocations", _shortened(body)
    if not request.url.path.endswith("-response-stream"):
        async with servers.client() as client:
            response = await client.post(url, content=body, headers=servers.JSON)
        return Response(response.content, response.status_code, media_type=response.headers["content-type"])
    headers = {"x-amzn-sagemaker-content-type": "text/event-stream"}
    return StreamingResponse(framed(servers.streamed(url, body)), 200, headers, "application/vnd.amazon.eventstream")


async def _invoke_async(api: AwsApi, request: Request) -> Response:
    """Accept a question in S3, and write the answer to S3 in the background."""
    question_uri = request.headers["x-amzn-sagemaker-inputlocation"]
    paths = api.payloads["CreateEndpointConfig"]["AsyncInferenceConfig"]["OutputConfig"]
    output, failure = (
        f"{paths[name]}/{question_uri.rpartition('/')[2]}.out" for name in ("S3OutputPath", "S3FailurePath")
    )
    s3 = boto3.client("s3", "us-east-1", endpoint_url=api.moto)
    question = s3.get_object(**_place(question_uri))["Body"].read()

    async def work() -> None:
        async with servers.client() as client:
            url = f"{api.model}/invocations"
            response = await client.post(url, content=_shortened(question), headers=servers.JSON)
        s3.put_object(**_place(output if response.status_code == 200 else failure), Body=response.content)

    headers = {"x-amzn-sagemaker-outputlocation": output, "x-amzn-sagemaker-failurelocation": failure}
    return JSONResponse({"InferenceId": "1"}, 202, headers, background=BackgroundTask(work))


def _place(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


async def _describe_endpoint(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    response = await _forward(api, request, body)
    if response.status_code != 200:
        return response
    values, name = json.loads(response.body), payload["EndpointName"]
    values = {key: value for key, value in values.items() if value not in ({}, None)}
    values["EndpointConfigName"] = api.configs.get(name, values["EndpointConfigName"])
    for variant in values.get("ProductionVariants", []):
        variant.setdefault("CurrentInstanceCount", 1)
    if api.moving.get(name, 0) > 0:
        api.moving[name] -= 1
        values["EndpointStatus"] = "Updating" if name in api.configs else "Creating"
    return JSONResponse(values)


async def _create_endpoint(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    response = await _forward(api, request, body)
    if response.status_code == 200:
        api.moving[payload["EndpointName"]] = POLLS
    return response


async def _update_endpoint(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    name = payload["EndpointName"]
    if api.moving.get(name, 0):
        return _error(400, "ValidationException", "Cannot update in-progress endpoint")
    api.moving[name] = POLLS
    if api.rolls_back:
        api.rolls_back = False
    else:
        api.configs[name] = payload["EndpointConfigName"]
    return JSONResponse({"EndpointArn": f"{ARN}:endpoint/{name}"})


async def _delete_endpoint(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    name = payload["EndpointName"]
    if any(component["EndpointName"] == name for component in api.components.values()):
        return _error(400, "ValidationException", "Cannot delete an endpoint with inference components")
    api.configs.pop(name, None)
    api.moving.pop(name, None)
    return await _forward(api, request, body)


async def _create_component(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    name = payload["InferenceComponentName"]
    if name in api.components:
        return _error(400, "ValidationException", "Cannot create already existing inference component")
    api.components[name] = payload | {"polls": POLLS}
    return JSONResponse({"InferenceComponentArn": f"{ARN}:inference-component/{name}"})


def _component(api: AwsApi, name: str) -> dict[str, Any]:
    component = api.components[name]
    starting = component["polls"] > 0
    component["polls"] = max(0, component["polls"] - 1)
    counts = {"DesiredCopyCount": 1, "CurrentCopyCount": 0 if starting else 1}
    return {
        "InferenceComponentName": name,
        "InferenceComponentArn": f"{ARN}:inference-component/{name}",
        "EndpointName": component["EndpointName"],
        "EndpointArn": f"{ARN}:endpoint/{component['EndpointName']}",
        "VariantName": component["VariantName"],
        "InferenceComponentStatus": "Creating" if starting else "InService",
        "RuntimeConfig": counts,
        "CreationTime": 1.0,
        "LastModifiedTime": 1.0,
    }


async def _describe_component(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    name = payload["InferenceComponentName"]
    if name not in api.components:
        return _error(400, "ValidationException", f"Could not find inference component {name}")
    return JSONResponse(_component(api, name))


async def _list_components(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    names = [name for name in api.components if payload.get("NameContains", "") in name]
    return JSONResponse({"InferenceComponents": [_component(api, name) for name in names]})


async def _update_component(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    api.components[payload["InferenceComponentName"]].update(payload, polls=POLLS)
    return JSONResponse({"InferenceComponentArn": f"{ARN}:inference-component/x"})


async def _delete_component(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    api.components.pop(payload["InferenceComponentName"], None)
    return JSONResponse({})


async def _scale(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    """Handle scaling of components; moto handles variants."""
    resource = payload.get("ResourceId") or next(iter(payload.get("ResourceIds", [""])))
    if not resource.startswith("inference-component/"):
        return await _forward(api, request, body)
    operation = await _operation(request, body)
    if operation == "RegisterScalableTarget":
        api.scalable[resource] = payload | {"RoleARN": "arn:aws:iam::123456789012:role/scaling", "CreationTime": 1.0}
    elif operation == "DeregisterScalableTarget":
        api.scalable.pop(resource)
    elif operation == "PutScalingPolicy":
        arn = f"arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:{payload['PolicyName']}"
        return JSONResponse({"PolicyARN": arn})
    else:
        return JSONResponse({"ScalableTargets": [api.scalable[resource]] if resource in api.scalable else []})
    return JSONResponse({})


async def _create_config(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    """Add a model to each variant for moto, which requires one; with inference components there is none."""
    for variant in payload["ProductionVariants"]:
        if "ModelName" not in variant:
            api.without_model.add(payload["EndpointConfigName"])
            variant |= {"ModelName": api.last_model, "InitialVariantWeight": 1.0}
    return await _forward(api, request, json.dumps(payload).encode())


async def _without_empty(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    """Remove empty structures, which moto sends and SageMaker doesn't."""
    response = await _forward(api, request, body)
    values = {name: value for name, value in json.loads(response.body).items() if value not in ({}, None)}
    if values.get("EndpointConfigName") in api.without_model:
        del values["ProductionVariants"][0]["ModelName"]
    return JSONResponse(values, response.status_code)


_HANDLERS = {
    "RegisterScalableTarget": _scale,
    "DeregisterScalableTarget": _scale,
    "DescribeScalableTargets": _scale,
    "PutScalingPolicy": _scale,
    "CreateEndpointConfig": _create_config,
    "DescribeModel": _without_empty,
    "DescribeEndpointConfig": _without_empty,
    "CreateEndpoint": _create_endpoint,
    "DescribeEndpoint": _describe_endpoint,
    "UpdateEndpoint": _update_endpoint,
    "DeleteEndpoint": _delete_endpoint,
    "CreateInferenceComponent": _create_component,
    "DescribeInferenceComponent": _describe_component,
    "ListInferenceComponents": _list_components,
    "UpdateInferenceComponent": _update_component,
    "DeleteInferenceComponent": _delete_component,
}
