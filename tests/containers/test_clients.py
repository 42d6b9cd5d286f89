"""Streamed answers from the container with the clients of OpenAI, AWS, Google, and our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.chat.reader import ChatReader
from backends.chat.sse import SSEDecoder
from tests.containers import gateway
from tests.containers.gateway import ENDPOINT, PROJECT, REGION, Gateway

QUESTION: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Count from one to ten."}],
    "max_tokens": 16,
    "temperature": 0,
}
STREAM = {**QUESTION, "stream": True, "stream_options": {"include_usage": True}}


@pytest.fixture(scope="module")
def endpoints(container_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway.run_gateway(container_url, tmp_path_factory.mktemp("gateway")) as endpoints:
        yield endpoints


def read_stream(*chunks: bytes) -> tuple[list[str], ChatReader]:
    decoder, reader = SSEDecoder(), ChatReader()
    texts = [delta.text for chunk in chunks for payload in decoder.feed(chunk) for delta in reader.read(payload)]
    return texts + [delta.text for delta in reader.finish(decoder.flush())], reader


def test_openai(container_url: str) -> None:
    import openai

    with openai.OpenAI(base_url=f"{container_url}/v1", api_key="none") as client:
        model = client.models.list().data[0].id
        chunks = list(client.chat.completions.create(model=model, **STREAM))
        complete = client.chat.completions.create(model="", **QUESTION)
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(texts) > 3
    assert "".join(texts) == complete.choices[0].message.content
    assert chunks[-1].usage == complete.usage or chunks[-1].usage.completion_tokens == complete.usage.completion_tokens


def test_our_command_line(container_url: str, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(f'[container]\nkind = "openai"\nurl = "{container_url}"\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OLLAMA")}
    result = subprocess.run(
        [sys.executable, "-m", "backends", "ask", "container", "Count from one to ten."],
        env=environment | {"SPACEPORT_CATALOG": str(catalogue)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


def test_boto3(endpoints: Gateway) -> None:
    import boto3

    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
    runtime = boto3.client("sagemaker-runtime", endpoint_url=endpoints.url, verify=str(endpoints.certificate), **keys)
    target = {"EndpointName": "chat", "ContentType": "application/json"}
    complete = json.loads(runtime.invoke_endpoint(Body=json.dumps(QUESTION), **target)["Body"].read())
    stream = runtime.invoke_endpoint_with_response_stream(Body=json.dumps(STREAM), **target)
    texts, reader = read_stream(*(event["PayloadPart"]["Bytes"] for event in stream["Body"]))
    runtime.close()
    assert len(texts) > 3
    assert "".join(texts) == complete["choices"][0]["message"]["content"]
    assert reader.usage


def test_aiplatform(endpoints: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(endpoints.certificate))
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    aiplatform.init(
        project=PROJECT,
        location=REGION,
        api_endpoint=endpoints.url,
        api_transport="rest",
        credentials=AnonymousCredentials(),
    )
    endpoint = aiplatform.Endpoint(ENDPOINT)
    headers = {"Content-Type": "application/json"}
    prediction = endpoint.predict(instances=[QUESTION, QUESTION], use_dedicated_endpoint=True)
    raw = endpoint.raw_predict(body=json.dumps(QUESTION).encode(), headers=headers)
    lines = list(endpoint.stream_raw_predict(body=json.dumps(STREAM).encode(), headers=headers))
    texts, reader = read_stream(*(line + b"\n" for line in lines))
    assert len(prediction.predictions) == 2
    answers = {completion["choices"][0]["message"]["content"] for completion in [*prediction.predictions, raw.json()]}
    assert answers == {"".join(texts)}
    assert reader.usage
