"""JSON that is invalid, ambiguous or made to be slow."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from backends import Rejected
from inference.http.request_body import parse_json
from tests.inference.servers import Server
from tests.inference.test_bad_input import CHAT, ROUTES, assert_rejected
from tests.security.linear_time import assert_linear

TWICE = [
    b'{"messages": [], "messages": [{"role": "user", "content": "Hi"}]}',
    b'{"messages": [{"role": "user", "content": "Hi"}], "mess\\u0061ges": []}',
    b'{"messages": [{"role": "user", "content": "Hi", "content": "Ho"}]}',
    b'{"messages": [{"role": "user", "content": "Hi"}], "stream_options": {"a": 1, "b": 2, "a": 1}}',
]


@pytest.mark.parametrize("body", TWICE)
def test_a_repeated_name_is_rejected(server: Server, body: bytes) -> None:
    for route in ROUTES:
        assert_rejected(server.post(route, content=body), 400, "twice")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"seed": %s}' % (b"9" * 5000), "digits"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b"[" * 5_000_000, "nested too deeply"),
        (b'{"a": "\xff"}', "not valid text"),
        (b'{"a": "\x00"}', "control character"),
    ],
    ids=["digits", "objects", "lists", "bytes", "control character"],
)
def test_the_error_says_what_is_wrong(body: bytes, reason: str) -> None:
    with pytest.raises(Rejected, match=reason) as caught:
        parse_json(body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "text",
    [
        lambda size: "[" + "[]," * (size // 3) + "1]",
        lambda size: "[" + "{}," * (size // 3) + "1]",
        lambda size: "{" + ",".join(f'"{number}":1' for number in range(size // 8)) + "}",
        lambda size: "{" + ",".join(f'"{number}":1' for number in range(size // 8)) + ',"7":1}',
        lambda size: f"1.{'1' * size}",
        lambda size: f"0.{'0' * size}1e{size}",
        lambda size: "[" + f"{'9' * 4000}," * (size // 4000) + "1]",
        lambda size: '"' + "\\u0041" * (size // 6) + '"',
        lambda size: '"' + "\\ud83d" * (size // 6) + '"',
    ],
    ids=["lists", "objects", "names", "a repeated name", "fraction", "exponent", "integers", "escapes", "surrogates"],
)
def test_parsing_takes_linear_time(text: Callable[[int], str]) -> None:
    def parse(size: int) -> None:
        with suppress(Rejected):
            parse_json(text(size).encode())

    assert_linear(parse)


def test_a_number_beyond_all_numbers_is_no_error_of_the_server(server: Server) -> None:
    for number in ("1e999999999", f"1.{'1' * 100_000}", "-" + "9" * 4000):
        body = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})[:-1] + f', "max_tokens": {number}}}'
        assert_rejected(server.post(CHAT, content=body.encode()), 400, "max_tokens")
