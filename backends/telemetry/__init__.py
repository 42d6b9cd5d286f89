"""OpenTelemetry spans from page to engine with one trace id, if the environment asks for them.

Without `OTEL_EXPORTER_OTLP_ENDPOINT` nothing of OpenTelemetry is imported. Prompts and answers are never recorded.
"""

from backends.telemetry.spans import configure, is_on, request_headers, span, traced

__all__ = ["configure", "is_on", "request_headers", "span", "traced"]
