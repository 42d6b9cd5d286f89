"""A local chat server that sends words at a steady pace; each word encodes its send time.

    cd benchmarks && python -m harness.servers.paced_server PORT WORDS [--rate 100]

A word is five letters: the time in tenths of a millisecond on a clock that all processes share on Linux. Every
twelfth word ends a sentence, every sixtieth a paragraph. With 0 words, an answer has as many as the request's
`max_tokens`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time

from compare.conformance.scenarios import chunk, delta
from compare.conformance.scripted_server import STREAM, exact_loop, read_request

LETTERS, LENGTH = "abcdefghijklmnopqrstuvwxyz", 5
WORD = re.compile(r"(?<![a-z])[a-z]{5}(?![a-z])")
SPAN = len(LETTERS) ** LENGTH  # 20 minutes, then the words repeat


def ticks() -> int:
    return int(time.perf_counter() * 10_000) % SPAN


def word() -> str:
    """Return the current time as a word."""
    number, letters = ticks(), ""
    for _ in range(LENGTH):
        number, letter = divmod(number, len(LETTERS))
        letters += LETTERS[letter]
    return letters


def age_ms(word: str) -> float:
    """Return the milliseconds since the server sent `word`."""
    send_time = sum(LETTERS.index(letter) * len(LETTERS) ** place for place, letter in enumerate(word))
    return ((ticks() - send_time) % SPAN) / 10


async def answer(writer: asyncio.StreamWriter, words: int, rate: float) -> None:
    writer.write(STREAM)
    start = time.perf_counter()
    for number in range(1, words + 1):
        if (wait := start + number / rate - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        if writer.is_closing():  # the client has disconnected
            return
        ending = ".\n\n" if number % 60 == 0 else ". " if number % 12 == 0 else " "
        send(writer, delta(content=word() + ending))
    last = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    usage = {"prompt_tokens": 8, "completion_tokens": words, "total_tokens": words + 8}
    send(writer, last + chunk(choices=[], usage=usage) + b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def send(writer: asyncio.StreamWriter, body: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(body), body))


async def handle_connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: int, rate: float
) -> None:
    """Answer the requests of one connection."""
    models = json.dumps({"object": "list", "data": [{"id": "paced", "object": "model"}]}).encode()
    model_list = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(models) + models
    )
    try:
        while request := await read_request(reader):
            if request[0][0] == "GET":
                writer.write(model_list)
            else:
                await answer(writer, words or json.loads(request[1])["max_tokens"], rate)
    except ConnectionError:
        pass  # the client has disconnected
    finally:
        writer.close()


async def serve(port: int, words: int, rate: float) -> None:
    server = await asyncio.start_server(lambda *streams: handle_connection(*streams, words, rate), "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("words", type=int)
    parser.add_argument("--rate", type=float, default=100, metavar="WORDS", help="words per second (default: 100)")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=exact_loop) as runner:
        runner.run(serve(options.port, options.words, options.rate))
