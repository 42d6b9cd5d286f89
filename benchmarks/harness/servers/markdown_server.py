"""A local chat server that answers with Markdown: headings, prose, lists, tables, code and formulas.

    cd benchmarks && python -m harness.servers.markdown_server PORT

A question says how many tokens the answer has and how many come per second: "…: 600 tokens, 100 per second". With 0 per
second, all come at once, in one event. A token is a word with the white space before it, 5.4 characters on average.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from collections.abc import Iterator
from itertools import islice

from compare.conformance.scenarios import chunk, delta
from compare.conformance.scripted_server import STREAM, exact_loop, read_request

LENGTH = re.compile(r"(\d+) tokens, (\d+) per second")
WORDS = """
the a of in to and ferry island harbour pier tern colony visitor deck lighthouse keeper winter summer leaves takes
counts writes sends holds grows every later before after because until most northern narrow early log week
""".split()  # noqa: SIM905  # a list of words reads better as words
SECTION = r"""

## {title}

{long} **{short}** {long}

- {medium}
- {medium}
- *{short}*, {medium}

| {word} | {word} | {word} |
| ---    | ---    | ---    |
| {word} | {number} | {number} |
| {word} | {number} | {number} |

The number of terns grows by the usual formula, \(N_t = N_0 e^{rt}\), with {short}:

$$\frac{dN}{dt} = r N \left(1 - \frac{N}{K}\right) + {number}$$

```python
def {word}(years: float, first: int = {number}, rate: float = 0.04) -> int:
    # {medium}
    return round(first * exp(rate * years))
```

{long} {long}
"""
SENTENCE_WORDS = {"title": 4, "short": 4, "medium": 9, "long": 22, "word": 1}


def tokens() -> Iterator[str]:
    """Yield the tokens of an endless answer, the same each time. No sentence comes twice: that would end an answer."""
    chance = random.Random(0)

    def fill(place: re.Match[str]) -> str:
        if place[1] == "number":
            return f"{chance.randrange(10_000):,}"
        words = " ".join(chance.choices(WORDS, k=SENTENCE_WORDS[place[1]]))
        return f"{words.capitalize()}." if place[1] in ("long", "medium") else words

    while True:
        yield from re.findall(r"\s*\S+", re.sub(r"{(number|title|short|medium|long|word)}", fill, SECTION))


async def answer(writer: asyncio.StreamWriter, count: int, rate: int) -> None:
    writer.write(STREAM)
    start = time.perf_counter()
    texts = list(islice(tokens(), count)) if rate else ["".join(islice(tokens(), count))]
    for number, text in enumerate(texts):
        if rate and (wait := start + number / rate - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        if writer.is_closing():  # the client has disconnected
            return
        send(writer, delta(content=text))
    last = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    send(writer, last + b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def send(writer: asyncio.StreamWriter, body: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(body), body))


async def handle_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    models = json.dumps({"object": "list", "data": [{"id": "markdown", "object": "model"}]}).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(models)
    try:
        while request := await read_request(reader):
            if request[0][0] == "GET":
                writer.write(head + models)
                continue
            question = json.loads(request[1])["messages"][-1]["content"]
            count, rate = map(int, LENGTH.findall(question)[-1])
            await answer(writer, count, rate)
    except ConnectionError:
        pass  # the client has disconnected
    finally:
        writer.close()


async def serve(port: int) -> None:
    server = await asyncio.start_server(handle_connection, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    with asyncio.Runner(loop_factory=exact_loop) as runner:
        runner.run(serve(parser.parse_args().port))
