"""AWS on a local port: moto for what it knows, and here what it lacks, so that the real SDKs speak to a real socket.

moto has no UpdateEndpoint, no inference components and no invocations. They are here: an update is `Updating` for
some looks, then another configuration is in service; a component likewise; an invocation goes to a real model's server,
whose answer comes back in AWS's event stream. Each call can be made to fail.
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
from moto.server import ThreadedMotoServer
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.backends.event_stream import framed
from tests.helpers import servers

LOOKS = 2  # how often something that begins is seen before it is ready
ARN = "arn:aws:sagemaker:us-east-1:123456789012"


@dataclass
class Fault:
    """The next call of `operation` fails; `after` it was carried out."""

    operation: str
    status: int = 400
    code: str = "ThrottlingException"
    message: str = "Rate exceeded"
    after: bool = False


@dataclass
class AwsApi:
    """The server's address, what it was asked, and what it is to fail with."""

    url: str = ""
    moto: str = ""
    model: str = ""  # the address of the model's server
    asked: list[str] = field(default_factory=list)
    payloads: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    moving: dict[str, int] = field(default_factory=dict)  # endpoint -> looks until it has moved
    configs: dict[str, str] = field(default_factory=dict)  # endpoint -> configuration after its updates
    components: dict[str, dict[str, Any]] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)  # configurations without a model
    scalable: dict[str, dict[str, Any]] = field(default_factory=dict)  # components that scale
    last_model: str = ""
    rolls_back: bool = False  # the next update rings its alarm

    def reset(self) -> None:
        """Forget everything but the addresses."""
        httpx2.post(f"{self.moto}/moto-api/reset")
        vars(self).update(vars(AwsApi(self.url, self.moto, self.model)))

    def fault(self, operation: str) -> Fault | None:
        for fault in self.faults:
            if fault.operation == operation:
                self.faults.remove(fault)
                return fault
        return None

    def operations(self, *prefixes: str) -> list[str]:
        return [name for name in self.asked if name.startswith(prefixes or ("",))]


@contextlib.contextmanager
def serving(model: str = "") -> Iterator[AwsApi]:
    """AWS with nothing in it; `model` answers what endpoints are asked."""
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
        api.asked.append(operation)
        if operation == "CreateModel":
            api.last_model = json.loads(body)["ModelName"]
        fault = api.fault(operation)
        if fault and not fault.after:
            return _refused(fault.status, fault.code, fault.message)
        if request.url.path.endswith("/async-invocations"):
            said = await _invoke_async(api, request)
        elif "/invocations" in request.url.path:
            said = await _invoke(api, request, body)
        elif ours := _OURS.get(operation):
            payload = json.loads(body)
            api.payloads[operation] = payload
            said = await ours(api, request, payload, body)
        else:
            said = await _forward(api, request, body)
        return _refused(fault.status, fault.code, fault.message) if fault else said

    methods = ["GET", "POST", "PUT", "DELETE", "HEAD"]
    return Starlette(routes=[Route("/{path:path}", answer, methods=methods)])


async def _operation(request: Request, body: bytes) -> str:
    """The name of the call: a header in most protocols, a field in the query protocol, the path in the others."""
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if "/operation/" in request.url.path:  # Smithy's own protocol
        return request.url.path.rpartition("/")[2]
    if b"Action=" in body:
        return body.partition(b"Action=")[2].partition(b"&")[0].decode()
    named = {"PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
    return named.get(request.method, f"{request.method} {request.url.path}")


async def _forward(api: AwsApi, request: Request, body: bytes) -> Response:
    headers = {
        name: value for name, value in request.headers.items() if name not in ("transfer-encoding", "content-length")
    }
    url = f"{api.moto}{request.url.path}{f'?{request.url.query}' if request.url.query else ''}"
    async with servers.client() as client:
        said = await client.request(request.method, url, content=body, headers=headers)
    kept = {name: value for name, value in said.headers.items() if name not in ("transfer-encoding", "connection")}
    return Response(said.content, said.status_code, kept)


def _refused(status: int, code: str, message: str) -> Response:
    body = {"__type": code, "message": message}
    return JSONResponse(body, status, {"x-amzn-errortype": code, "x-amzn-query-error": f"{code};Sender"})


async def _invoke(api: AwsApi, request: Request, body: bytes) -> Response:
    """The container's answer; of a stream in frames, cut inside lines."""
    url = f"{api.model}/invocations"
    if not request.url.path.endswith("-response-stream"):
        async with servers.client() as client:
            said = await client.post(url, content=body, headers=servers.JSON)
        return Response(said.content, said.status_code, media_type=said.headers["content-type"])
    told = {"x-amzn-sagemaker-content-type": "text/event-stream"}
    return StreamingResponse(framed(servers.streamed(url, body)), 200, told, "application/vnd.amazon.eventstream")


async def _invoke_async(api: AwsApi, request: Request) -> Response:
    """Takes a question that lies in S3, and lays the answer there when it has one."""
    asked = request.headers["x-amzn-sagemaker-inputlocation"]
    kept = api.payloads["CreateEndpointConfig"]["AsyncInferenceConfig"]["OutputConfig"]
    output, failure = (f"{kept[name]}/{asked.rpartition('/')[2]}.out" for name in ("S3OutputPath", "S3FailurePath"))
    s3 = boto3.client("s3", "us-east-1", endpoint_url=api.moto)
    question = s3.get_object(**_place(asked))["Body"].read()

    async def work() -> None:
        async with servers.client() as client:
            said = await client.post(f"{api.model}/invocations", content=question, headers=servers.JSON)
        s3.put_object(**_place(output if said.status_code == 200 else failure), Body=said.content)

    headers = {"x-amzn-sagemaker-outputlocation": output, "x-amzn-sagemaker-failurelocation": failure}
    return JSONResponse({"InferenceId": "1"}, 202, headers, background=BackgroundTask(work))


def _place(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


async def _describe_endpoint(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    said = await _forward(api, request, body)
    if said.status_code != 200:
        return said
    told, name = json.loads(said.body), payload["EndpointName"]
    told = {key: value for key, value in told.items() if value not in ({}, None)}
    told["EndpointConfigName"] = api.configs.get(name, told["EndpointConfigName"])
    for variant in told.get("ProductionVariants", []):
        variant.setdefault("CurrentInstanceCount", 1)
    if api.moving.get(name, 0) > 0:
        api.moving[name] -= 1
        told["EndpointStatus"] = "Updating" if name in api.configs else "Creating"
    return JSONResponse(told)


async def _create_endpoint(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    said = await _forward(api, request, body)
    if said.status_code == 200:
        api.moving[payload["EndpointName"]] = LOOKS
    return said


async def _update_endpoint(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    name = payload["EndpointName"]
    if api.moving.get(name, 0):
        return _refused(400, "ValidationException", "Cannot update in-progress endpoint")
    api.moving[name] = LOOKS
    if api.rolls_back:
        api.rolls_back = False
    else:
        api.configs[name] = payload["EndpointConfigName"]
    return JSONResponse({"EndpointArn": f"{ARN}:endpoint/{name}"})


async def _delete_endpoint(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    name = payload["EndpointName"]
    if any(component["EndpointName"] == name for component in api.components.values()):
        return _refused(400, "ValidationException", "Cannot delete an endpoint with inference components")
    api.configs.pop(name, None)
    api.moving.pop(name, None)
    return await _forward(api, request, body)


async def _create_component(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    name = payload["InferenceComponentName"]
    if name in api.components:
        return _refused(400, "ValidationException", "Cannot create already existing inference component")
    api.components[name] = payload | {"looks": LOOKS}
    return JSONResponse({"InferenceComponentArn": f"{ARN}:inference-component/{name}"})


def _component(api: AwsApi, name: str) -> dict[str, Any]:
    known = api.components[name]
    starting = known["looks"] > 0
    known["looks"] = max(0, known["looks"] - 1)
    counts = {"DesiredCopyCount": 1, "CurrentCopyCount": 0 if starting else 1}
    return {
        "InferenceComponentName": name,
        "InferenceComponentArn": f"{ARN}:inference-component/{name}",
        "EndpointName": known["EndpointName"],
        "EndpointArn": f"{ARN}:endpoint/{known['EndpointName']}",
        "VariantName": known["VariantName"],
        "InferenceComponentStatus": "Creating" if starting else "InService",
        "RuntimeConfig": counts,
        "CreationTime": 1.0,
        "LastModifiedTime": 1.0,
    }


async def _describe_component(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    name = payload["InferenceComponentName"]
    if name not in api.components:
        return _refused(400, "ValidationException", f"Could not find inference component {name}")
    return JSONResponse(_component(api, name))


async def _list_components(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    named = [name for name in api.components if payload.get("NameContains", "") in name]
    return JSONResponse({"InferenceComponents": [_component(api, name) for name in named]})


async def _update_component(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    api.components[payload["InferenceComponentName"]].update(payload, looks=LOOKS)
    return JSONResponse({"InferenceComponentArn": f"{ARN}:inference-component/x"})


async def _delete_component(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    api.components.pop(payload["InferenceComponentName"], None)
    return JSONResponse({})


async def _scale(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    """moto scales variants; components are here."""
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
    """moto wants a model in each variant; one for inference components has none."""
    for variant in payload["ProductionVariants"]:
        if "ModelName" not in variant:
            api.bare.add(payload["EndpointConfigName"])
            variant |= {"ModelName": api.last_model, "InitialVariantWeight": 1.0}
    return await _forward(api, request, json.dumps(payload).encode())


async def _without_empty(api: AwsApi, request: Request, payload: dict[str, Any], body: bytes) -> Response:
    """moto sends empty structures where SageMaker sends none."""
    said = await _forward(api, request, body)
    told = {name: value for name, value in json.loads(said.body).items() if value not in ({}, None)}
    if told.get("EndpointConfigName") in api.bare:
        del told["ProductionVariants"][0]["ModelName"]
    return JSONResponse(told, said.status_code)


_OURS = {
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
