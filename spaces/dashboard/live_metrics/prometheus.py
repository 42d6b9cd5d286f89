"""Reads a Prometheus server over its HTTP API: which servers it scrapes, then all their panels at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from string import Template
from typing import Any

from backends import BackendError, Rejected
from backends.http.connections import pooled_client
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import translate_errors
from backends.stopwatch import wall_clock
from live_metrics.errors import NoMetrics, NotPrometheus, TooSlow
from live_metrics.metric_values import Line, PanelReading, Reading, TimeSpan
from live_metrics.queries import GPU, SERVERS, Panel, Query

TIMEOUT_SECONDS = 3.0  # for all requests together; a page waits for them
CURRENT_SECONDS = 300  # the window of the current values, as in the alerts
CHECK_URL = "Check SPACEPORT_PROMETHEUS_URL: http://host:9090, with a path only if Prometheus is served under one."
SCRAPE = (
    "Let it scrape /metrics of the inference server, as containers/prometheus/prometheus.yml does, and check its "
    "targets: a server that is down has no metrics."
)


class Prometheus:
    """A server at `url`, which may contain a user name and a password; `token` is sent as a bearer token."""

    def __init__(self, url: str, token: str | None = None, *, seconds: float = TIMEOUT_SECONDS) -> None:
        self._seconds = seconds
        # Longer time-outs than `seconds`, whose error says what was too slow.
        self._endpoint = Endpoint(
            url.strip().rstrip("/"), token, seconds + 1, seconds + 1, "Prometheus",
            unreachable_remedy="Start it, or fix SPACEPORT_PROMETHEUS_URL.",
        )  # fmt: skip

    async def read(self, span: TimeSpan) -> Reading:
        """Read all metrics over `span`; raise an error with a remedy if there are none, or none in time."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(span, wall_clock())
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise self._not_prometheus("its metrics have an unknown format") from error
        except TimeoutError as error:
            raise TooSlow(
                f"{self._endpoint.label} did not answer within {self._seconds:g} s.",
                "Check its load, or choose a shorter time.",
            ) from error

    async def _read(self, span: TimeSpan, read_at: float) -> Reading:
        markers = "|".join(source.marker for source in (*SERVERS, GPU))
        query = {"match[]": f'{{__name__=~"{markers}"}}', "start": read_at - span.seconds, "end": read_at}
        names = {str(series.get("__name__")) for series in await self._get("series", query, list)}
        server = next((source for source in SERVERS if source.marker in names), None)
        sources = [source for source in (server, GPU) if source and source.marker in names]
        if not sources:
            raise NoMetrics(
                f"{self._endpoint.label} has no metrics of Spaceport, of vLLM or of a GPU in that time.", SCRAPE
            )
        panels = await asyncio.gather(
            *(self._read_panel(panel, span, read_at) for source in sources for panel in source.panels)
        )
        title = " and ".join(source.name for source in sources)
        return Reading(title, read_at, span, tuple(panels), GPU in sources)

    async def _read_panel(self, panel: Panel, span: TimeSpan, read_at: float) -> PanelReading:
        current, line_groups = await asyncio.gather(
            self._current(panel.current, read_at),
            asyncio.gather(*(self._lines(query, span, read_at) for query in panel.lines)),
        )
        return PanelReading(panel, current, tuple(line for group in line_groups for line in group))

    async def _current(self, query: Query, read_at: float) -> float | None:
        result = await self._result("query", {"query": _promql(query, CURRENT_SECONDS), "time": read_at})
        return _value(result[0]["value"], query) if result else None

    async def _lines(self, query: Query, span: TimeSpan, read_at: float) -> list[Line]:
        start = read_at - span.seconds
        parameters = {"query": _promql(query, span.window), "start": start, "end": read_at, "step": span.step}
        return [_line(series, query) for series in await self._result("query_range", parameters)]

    async def _result(self, route: str, parameters: Mapping[str, Any]) -> list[Any]:
        data = await self._get(route, parameters, dict)
        result = data.get("result")
        if not isinstance(result, list):
            raise self._not_prometheus("its response has no result")
        return result

    async def _get(self, route: str, parameters: Mapping[str, Any], data_type: type) -> Any:
        """Return the data of a response, which must be of `data_type`."""
        endpoint = self._endpoint
        url = endpoint.url_for(f"/api/v1/{route}")
        with translate_errors(endpoint):
            response = await pooled_client().get(
                url, params=parameters, headers=endpoint.headers, timeout=endpoint.timeout
            )
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status_code != 200:
            raise self._refusal(response.status_code, body)
        is_success = isinstance(body, dict) and body.get("status") == "success"
        if not is_success or not isinstance(body.get("data"), data_type):
            raise self._not_prometheus("it doesn't speak Prometheus's API")
        return body["data"]

    def _refusal(self, status: int, body: Any) -> BackendError:
        """Return the error for a failure status, with Prometheus's own message if it sent one."""
        message = self._endpoint.quote(str(body["error"])) if isinstance(body, dict) and "error" in body else ""
        quote = f": “{message}”." if message else "."
        credentials = "Put a user name and a password into the URL, or set SPACEPORT_PROMETHEUS_TOKEN."
        return Rejected(
            f"{self._endpoint.label} refused the request ({status}){quote}",
            credentials if status in (401, 403) else CHECK_URL,
            status=status,
        )

    def _not_prometheus(self, reason: str) -> NotPrometheus:
        return NotPrometheus(f"The server at {self._endpoint.display_url} isn't Prometheus: {reason}.", CHECK_URL)


def _promql(query: Query, window_seconds: int) -> str:
    return Template(query.promql).substitute(window=f"{window_seconds}s")


def _line(series: Any, query: Query) -> Line:
    labels = _Labels(series["metric"])
    points = [(float(pair[0]), _value(pair, query)) for pair in series["values"]]
    return Line(
        " ".join(query.label.format_map(labels).split()),
        tuple(time for time, _ in points),
        tuple(value for _, value in points),
    )


def _value(pair: Any, query: Query) -> float | None:
    """Return the value of a (time, text) pair; None for NaN, which means that there were no events."""
    value = float(pair[1]) * query.scale
    return value if math.isfinite(value) else None


class _Labels(dict[str, str]):
    """The labels of a series; a missing label is empty."""

    def __missing__(self, _: str) -> str:
        return ""
