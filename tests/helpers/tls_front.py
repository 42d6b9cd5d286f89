"""A proxy that ends TLS in front of a page, as the Hub's does in front of a Space."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.helpers.certificates import certificate
from tests.helpers.servers import serving_app

OF_ONE_CONNECTION = (b"connection", b"transfer-encoding", b"keep-alive")


@contextmanager
def tls_front(port: int, folder: Path, page: str) -> Iterator[int]:
    """Serve the page at the URL `page` over TLS on this port until the block ends."""
    certificate_file, key = certificate(folder, "front")
    tls = {"ssl_certfile": certificate_file, "ssl_keyfile": key, "ssl_version": ssl.PROTOCOL_TLS_SERVER}

    # A client would keep the cookies of one visitor for the next one.
    transport = httpx2.AsyncHTTPTransport(verify=False, limits=httpx2.Limits(max_keepalive_connections=0))

    async def forward(request: Request) -> StreamingResponse:
        headers = [(name, value) for name, value in request.headers.raw if name not in OF_ONE_CONNECTION]
        headers += [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"192.0.2.7")]
        url = f"{page}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        body = await request.body()
        response = await transport.handle_async_request(
            httpx2.Request(request.method, url, headers=headers, content=body)
        )

        async def chunks() -> AsyncIterator[bytes]:
            try:
                async for chunk in response.aiter_raw():
                    yield chunk
            finally:
                await response.aclose()

        answer = StreamingResponse(chunks(), response.status_code)
        answer.raw_headers = [each for each in response.headers.raw if each[0].lower() not in OF_ONE_CONNECTION]
        return answer

    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    app = Starlette(routes=[Route("/{path:path}", forward, methods=methods)])
    with serving_app(app, port=port, **tls) as actual:
        yield actual
