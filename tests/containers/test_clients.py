"""The clients that people have get streamed answers from the container: OpenAI's, ours, AWS's and Google's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.chat.events import ChatReader
from backends.chat.sse import SSEDecoder
from tests.containers import gateway
from tests.containers.gateway import ENDPOINT, PROJECT, REGION, Gateway

QUESTION: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Count from one to ten."}],
    "max_tokens": 16,
    "temperature": 0,
}
STREAMED = {**QUESTION, "stream": True, "stream_options": {"include_usage": True}}


@pytest.fixture(scope="module")
def before(container_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway.serving(container_url, tmp_path_factory.mktemp("gateway")) as found:
        yield found


def read(*chunks: bytes) -> tuple[list[str], ChatReader]:
    decoder, reader = SSEDecoder(), ChatReader()
    texts = [delta.text for chunk in chunks for payload in decoder.feed(chunk) for delta in reader.read(payload)]
    return texts + [delta.text for delta in reader.finish(decoder.flush())], reader


def test_openai(container_url: str) -> None:
    import openai

    with openai.OpenAI(base_url=f"{container_url}/v1", api_key="none") as client:
        model = client.models.list().data[0].id
        chunks = list(client.chat.completions.create(model=model, **STREAMED))
        whole = client.chat.completions.create(model="", **QUESTION)
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(texts) > 3
    assert "".join(texts) == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage or chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_ours_from_the_command_line(container_url: str, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(f'[container]\nkind = "openai"\nurl = "{container_url}"\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OLLAMA")}
    said = subprocess.run(
        [sys.executable, "-m", "backends", "ask", "container", "Count from one to ten."],
        env=environment | {"SPACEPORT_CATALOG": str(catalogue)},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip()


def test_boto3(before: Gateway) -> None:
    import boto3

    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
    runtime = boto3.client("sagemaker-runtime", endpoint_url=before.url, verify=str(before.certificate), **keys)
    asked = {"EndpointName": "chat", "ContentType": "application/json"}
    whole = json.loads(runtime.invoke_endpoint(Body=json.dumps(QUESTION), **asked)["Body"].read())
    streamed = runtime.invoke_endpoint_with_response_stream(Body=json.dumps(STREAMED), **asked)
    texts, reader = read(*(event["PayloadPart"]["Bytes"] for event in streamed["Body"]))
    runtime.close()
    assert len(texts) > 3
    assert "".join(texts) == whole["choices"][0]["message"]["content"]
    assert reader.usage


def test_aiplatform(before: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(before.certificate))
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    aiplatform.init(
        project=PROJECT,
        location=REGION,
        api_endpoint=before.url,
        api_transport="rest",
        credentials=AnonymousCredentials(),
    )
    endpoint = aiplatform.Endpoint(ENDPOINT)
    headers = {"Content-Type": "application/json"}
    told = endpoint.predict(instances=[QUESTION, QUESTION], use_dedicated_endpoint=True)
    raw = endpoint.raw_predict(body=json.dumps(QUESTION).encode(), headers=headers)
    lines = list(endpoint.stream_raw_predict(body=json.dumps(STREAMED).encode(), headers=headers))
    texts, reader = read(*(line + b"\n" for line in lines))
    assert len(told.predictions) == 2
    answers = {each["choices"][0]["message"]["content"] for each in [*told.predictions, raw.json()]}
    assert answers == {"".join(texts)}
    assert reader.usage
