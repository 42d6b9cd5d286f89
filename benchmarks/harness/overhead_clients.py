"""The clients that `overhead.py` compares: each streams the texts of one answer from a local server."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

MESSAGES = [{"role": "user", "content": "Count."}]
# A client takes the server's URL and a model name, and returns an async iterator of texts.
Client = Callable[..., AsyncIterator[str]]


@functools.cache
def bare_client() -> Any:
    """httpx2 with its defaults."""
    import httpx2

    return httpx2.AsyncClient()


@functools.cache
def timestamp_client() -> Any:
    """httpx2 on sockets that record when they were read."""
    import ssl

    import httpx2

    from backends.http.timestamps import DirectTransport

    return httpx2.AsyncClient(transport=DirectTransport(verify=ssl.create_default_context(), limits=httpx2.Limits()))


def bare(url: str, model: str = "bench") -> AsyncIterator[str]:
    """The smallest possible client: httpx2's lines, json, the content."""
    return bare_texts(timestamp_client() if model == "paced" else bare_client(), url, model)


async def bare_texts(client: Any, url: str, model: str) -> AsyncIterator[str]:
    """The texts of one answer through a client of httpx2."""
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
    """Spaceport's client for any server with the chat API."""
    from backends.kinds.openai import connect

    return connect({"url": url, "model": model})


@functools.cache
def sagemaker_target(url: str, model: str = "bench") -> Any:
    """Spaceport's client for a SageMaker endpoint."""
    from backends.kinds.sagemaker.backend import connect

    settings = {"endpoint": "bench", "region": "us-east-1", "url": url.removesuffix("/v1")}
    return connect(settings | {"extra_body": {"model": model}})


@functools.cache
def vertex_target(url: str, model: str = "bench") -> Any:
    """Spaceport's client for a Vertex AI endpoint, with a token that needs no request."""
    from backends.kinds.vertex.backend import connect

    backend = connect({"endpoint": "1", "project": "bench", "url": url.removesuffix("/v1"), "model": model})
    backend._tokens._credentials = SimpleNamespace(token="bench", expiry=None)
    return backend


async def stream_texts(backend: Any) -> AsyncIterator[str]:
    """The texts of a Spaceport backend, inside a Stopwatch as in the apps."""
    from backends import ChatRequest, Delta, Message, Stopwatch

    async for event in Stopwatch().record(backend.stream(ChatRequest((Message("user", "Count."),)))):
        if type(event) is Delta:
            yield event.text


async def spaceport(url: str, model: str = "bench") -> AsyncIterator[str]:
    """Spaceport with any server with the chat API."""
    async for text in stream_texts(openai_target(url, model)):
        yield text


async def sagemaker(url: str, model: str = "bench") -> AsyncIterator[str]:
    """Spaceport with SageMaker's response stream: botocore signs the call and parses AWS's frames."""
    async for text in stream_texts(sagemaker_target(url, model)):
        yield text


@functools.cache
def boto_client(url: str) -> Any:
    import boto3

    return boto3.client("sagemaker-runtime", "us-east-1", endpoint_url=url.removesuffix("/v1"))


async def boto(url: str) -> AsyncIterator[str]:
    """boto3's response stream as its users read it: in a thread, which passes each part to the loop."""
    client = boto_client(url)
    loop, parts = asyncio.get_running_loop(), asyncio.Queue()

    def read() -> None:
        body = json.dumps({"messages": MESSAGES, "stream": True})
        for part in client.invoke_endpoint_with_response_stream(EndpointName="bench", Body=body)["Body"]:
            loop.call_soon_threadsafe(parts.put_nowait, part["PayloadPart"]["Bytes"])
        loop.call_soon_threadsafe(parts.put_nowait, b"")

    reader = asyncio.create_task(asyncio.to_thread(read))
    rest = b""
    while part := await parts.get():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            choices = json.loads(line[6:])["choices"] if line.startswith(b"data: {") else []
            if choices and (content := choices[0]["delta"].get("content")):
                yield content
    await reader


async def vertex(url: str, model: str = "bench") -> AsyncIterator[str]:
    """Spaceport with Vertex AI's streamRawPredict."""
    async for text in stream_texts(vertex_target(url, model)):
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
    """LiteLLM's acompletion, in a separate environment."""
    import litellm

    async for chunk in await litellm.acompletion(
        model="openai/bench", api_base=url, api_key="none", messages=MESSAGES, stream=True
    ):
        if chunk.choices and (content := chunk.choices[0].delta.content):
            yield content


async def aclose(url: str) -> None:
    """Close all clients."""
    from backends.http.connections import close_connections

    await bare_client().aclose()
    await timestamp_client().aclose()
    await openai_client(url).close()
    boto_client(url).close()
    await close_connections()
