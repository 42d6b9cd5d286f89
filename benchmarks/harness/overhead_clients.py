"""The clients that `overhead.py` compares: each reads one answer of its local server, text by text."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

MESSAGES = [{"role": "user", "content": "Count."}]
# A client is a function from the server's address, and a model's name, to an async iterator of texts.
Client = Callable[..., AsyncIterator[str]]


@functools.cache
def bare_client() -> Any:
    """httpx2 as it is."""
    import httpx2

    return httpx2.AsyncClient()


@functools.cache
def stamping_client() -> Any:
    """httpx2 over sockets that say when they were read."""
    import ssl

    import httpx2

    from backends.http.timestamps import StampingTransport

    return httpx2.AsyncClient(transport=StampingTransport(verify=ssl.create_default_context(), limits=httpx2.Limits()))


async def bare(url: str, model: str = "bench") -> AsyncIterator[str]:
    """The least that can be written: httpx2's lines, json, the content."""
    client = stamping_client() if model == "paced" else bare_client()
    async with client.stream(
        "POST", f"{url}/chat/completions", json={"model": model, "messages": MESSAGES, "stream": True}
    ) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                choices = json.loads(line[6:])["choices"]
                if choices and (content := choices[0]["delta"].get("content")):
                    yield content


@functools.cache
def openai_target(url: str, model: str = "bench") -> Any:
    """Ours for any server with the chat API."""
    from backends.openai import connect

    return connect({"url": url, "model": model})


@functools.cache
def sagemaker_target(url: str, model: str = "bench") -> Any:
    """Ours for a SageMaker endpoint."""
    from backends.sagemaker.backend import connect

    told = {"endpoint": "bench", "region": "us-east-1", "url": url.removesuffix("/v1")}
    return connect(told | {"extra_body": {"model": model}})


@functools.cache
def vertex_target(url: str, model: str = "bench") -> Any:
    """Ours for a Vertex AI endpoint, with a token that is there already."""
    from backends.vertex.backend import connect

    backend = connect({"endpoint": "1", "project": "bench", "url": url.removesuffix("/v1"), "model": model})
    backend._tokens._credentials = SimpleNamespace(token="bench", expiry=None)
    return backend


async def answered(backend: Any) -> AsyncIterator[str]:
    """The texts of one of our backends, under a Stopwatch as the apps use it."""
    from backends import ChatRequest, Delta, Message, Stopwatch

    async for event in Stopwatch().watch(backend.stream(ChatRequest((Message("user", "Count."),)))):
        if type(event) is Delta:
            yield event.text


async def spaceport(url: str, model: str = "bench") -> AsyncIterator[str]:
    """Our client of any server with the chat API."""
    async for text in answered(openai_target(url, model)):
        yield text


async def sagemaker(url: str, model: str = "bench") -> AsyncIterator[str]:
    """Our client of SageMaker's response stream: signed by botocore, taken out of AWS's frames."""
    async for text in answered(sagemaker_target(url, model)):
        yield text


@functools.cache
def boto_client(url: str) -> Any:
    import boto3

    return boto3.client("sagemaker-runtime", "us-east-1", endpoint_url=url.removesuffix("/v1"))


async def boto(url: str) -> AsyncIterator[str]:
    """boto3's response stream as its users read it, in a thread, each part handed to the loop."""
    client = boto_client(url)
    loop, parts = asyncio.get_running_loop(), asyncio.Queue()

    def read() -> None:
        body = json.dumps({"messages": MESSAGES, "stream": True})
        for part in client.invoke_endpoint_with_response_stream(EndpointName="bench", Body=body)["Body"]:
            loop.call_soon_threadsafe(parts.put_nowait, part["PayloadPart"]["Bytes"])
        loop.call_soon_threadsafe(parts.put_nowait, b"")

    reading = asyncio.create_task(asyncio.to_thread(read))
    rest = b""
    while part := await parts.get():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            choices = json.loads(line[6:])["choices"] if line.startswith(b"data: {") else []
            if choices and (content := choices[0]["delta"].get("content")):
                yield content
    await reading


async def vertex(url: str, model: str = "bench") -> AsyncIterator[str]:
    """Our client of Vertex AI's streamRawPredict, with a token that is there already."""
    async for text in answered(vertex_target(url, model)):
        yield text


@functools.cache
def openai_client(url: str) -> Any:
    import openai

    return openai.AsyncOpenAI(base_url=url, api_key="none")


async def openai_sdk(url: str) -> AsyncIterator[str]:
    """The openai package's AsyncOpenAI."""
    async for chunk in await openai_client(url).chat.completions.create(model="bench", messages=MESSAGES, stream=True):
        if chunk.choices and (content := chunk.choices[0].delta.content):
            yield content


async def litellm_sdk(url: str) -> AsyncIterator[str]:
    """LiteLLM's acompletion, in an environment of its own."""
    import litellm

    async for chunk in await litellm.acompletion(
        model="openai/bench", api_base=url, api_key="none", messages=MESSAGES, stream=True
    ):
        if chunk.choices and (content := chunk.choices[0].delta.content):
            yield content


async def aclose(url: str) -> None:
    """Close what was opened."""
    from backends.http import client as http

    await bare_client().aclose()
    await stamping_client().aclose()
    await openai_client(url).close()
    boto_client(url).close()
    await http.aclose()
