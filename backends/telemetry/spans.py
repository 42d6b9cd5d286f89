"""Starts spans, and carries their context over HTTP; does nothing until `configure` has found a collector."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from backends.settings import require_package

T = TypeVar("T")
Attributes = Mapping[str, Any]
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_tracer: Any = None


def configure(service: str) -> None:
    """Send spans to the collector that the environment names, if it names one; call once, before a target connects.

    `service` is the name of this program unless `OTEL_SERVICE_NAME` is set. The other variables of OpenTelemetry's SDK
    have their meanings. `NotConfigured` if the packages are missing.
    """
    global _tracer
    if _tracer is not None or not any(os.environ.get(name) for name in ENDPOINTS):
        return
    require_package("opentelemetry.exporter.otlp.proto.grpc", extra="telemetry")
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("spaceport")


def is_on() -> bool:
    """Whether spans are recorded."""
    return _tracer is not None


@contextmanager
def span(name: str, attributes: Attributes, *, kind: str = "internal", parent: Any = None) -> Iterator[Any]:
    """Record the block as a span and yield it, or None; `parent` is a context, by default the current one."""
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind

    started = _tracer.start_as_current_span(name, parent, SpanKind[kind.upper()], attributes)
    with started as current:
        yield current


def traced(
    name: str,
    attributes: Attributes,
    stream: AsyncIterator[T],
    *,
    kind: str = "internal",
    observe: Callable[[Any, T], None] = lambda span, item: None,
) -> AsyncIterator[T]:
    """Return the items of a stream, which is recorded as a span; `observe` adds to the span what an item tells."""
    return stream if _tracer is None else _traced(name, attributes, stream, kind, observe)


async def _traced(
    name: str, attributes: Attributes, stream: AsyncIterator[T], kind: str, observe: Callable[[Any, T], None]
) -> AsyncIterator[T]:
    """Yield the items of a stream inside of a span.

    The span is current only while the stream works, not while its reader does: a generator can't leave a context that
    it entered before it yielded.
    """
    from opentelemetry.trace import SpanKind, Status, StatusCode, use_span

    from backends.streams import closing

    current = _tracer.start_span(name, kind=SpanKind[kind.upper()], attributes=attributes)
    try:
        while True:
            with use_span(current, record_exception=False, set_status_on_exception=False):
                try:
                    item = await anext(stream)
                except StopAsyncIteration:
                    return
            observe(current, item)
            yield item
    except Exception as error:
        current.set_attribute("error.type", type(error).__name__)
        current.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        async with closing(stream):
            current.end()


def request_headers() -> dict[str, str]:
    """The headers that tell a server the current trace; none if spans aren't recorded."""
    headers: dict[str, str] = {}
    if _tracer is not None:
        from opentelemetry.propagate import inject

        inject(headers)
    return headers


def context_of(headers: Mapping[str, str]) -> Any:
    """The context that the headers of a request tell, or None."""
    if _tracer is None:
        return None
    from opentelemetry.propagate import extract

    return extract(headers)
