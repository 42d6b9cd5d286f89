"""A local chat server with a prepared answer: `python benchmarks/harness/servers/wire_server.py PORT CHUNKS PACED`.

SageMaker's response stream has the same answer in AWS's frames; Vertex AI's streamRawPredict has it unchanged.

The server is a separate process, so that its work doesn't count as the client's. It writes as fast as the client
reads, so that the system doesn't wake the client for each chunk. The model "paced" sends PACED chunks one by one.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import zlib


def chunk(**fields: object) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return b"data: " + json.dumps({**head, **fields}).encode() + b"\n\n"


def text(content: str) -> bytes:
    return chunk(choices=[{"index": 0, "delta": {"content": content}, "finish_reason": None}])


def payload_part(data: bytes) -> bytes:
    """A frame of AWS's event stream: lengths, headers and payload, each with its checksum."""
    fields = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
    headers = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in fields.items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(data), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + data
    return message + struct.pack("!I", zlib.crc32(message))


def http_chunks(parts: list[bytes]) -> list[bytes]:
    return [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]


PAUSE = 0.002  # seconds between the chunks of "paced": a client finishes one before the next arrives


def make_answer(chunks: int) -> list[bytes]:
    """The events of a complete answer."""
    body = [chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])]
    body += [text(f"word{index} ") for index in range(chunks)]
    usage = {"prompt_tokens": 8, "completion_tokens": chunks, "total_tokens": chunks + 8}
    body += [
        chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]),
        chunk(choices=[], usage=usage),
        b"data: [DONE]\n\n",
    ]
    return body


async def serve(port: int, chunks: int, paced: int) -> None:
    answers = {pace: make_answer(count) for pace, count in ((False, chunks), (True, paced))}
    plain = {pace: http_chunks(body) for pace, body in answers.items()}
    aws_frames = {pace: http_chunks([payload_part(part) for part in body]) for pace, body in answers.items()}
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"
    aws_type = b"application/vnd.amazon.eventstream\r\nx-amzn-sagemaker-content-type: text/event-stream"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            if request.startswith(b"GET"):
                data = [{"id": name, "object": "model"} for name in ("bench", "paced")]
                models = json.dumps({"object": "list", "data": data}).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(models)
                )
                writer.write(models)
                continue
            aws, pace = b"/invocations-response-stream" in request, b'"paced"' in request
            writer.write(head.replace(b"text/event-stream", aws_type) if aws else head)
            for part in (aws_frames if aws else plain)[pace]:
                writer.write(part)
                await writer.drain()
                if pace:
                    await asyncio.sleep(PAUSE)
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return b""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:4])))
