"""Reads a Prometheus over its HTTP API: which servers it watches, then all their panels at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from string import Template
from typing import Any

from backends import BackendError, Rejected
from backends.http.client import Endpoint, translated
from backends.http.connections import client
from backends.stopwatch import wall_clock
from metrics.errors import NoFigures, NotPrometheus, TooSlow
from metrics.queries import GPU, SERVERS, Panel, Query
from metrics.readings import Drawn, Line, Reading, Span

SECONDS = 3.0  # for all of it; a page waits for this
NOW_SECONDS = 300  # the figures of now are rates over so long, as those of the alerts are
CHECK = "Check SPACEPORT_PROMETHEUS_URL: http://host:9090, without a path unless it is served under one."
SCRAPE = (
    "Let it scrape /metrics of the inference server, as containers/prometheus/prometheus.yml does, and look at its "
    "targets: a server that is down has none."
)


class Prometheus:
    """A server at `url`, which may hold a name and a password; `token` is sent as a bearer's."""

    def __init__(self, url: str, token: str | None = None, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        # Its time-outs are longer than ours, which therefore says what was too slow.
        self._endpoint = Endpoint(
            url.strip().rstrip("/"), token, seconds + 1, seconds + 1, "Prometheus",
            if_down="Start it, or correct SPACEPORT_PROMETHEUS_URL.",
        )  # fmt: skip

    async def read(self, span: Span) -> Reading:
        """All figures over `span`; an error with a remedy if there are none, or none in time."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(span, wall_clock())
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise self._stranger("its figures have another shape") from error
        except TimeoutError as error:
            raise TooSlow(
                f"{self._endpoint.place} did not answer within {self._seconds:g} s.",
                "Look at its load, or choose a shorter time.",
            ) from error

    async def _read(self, span: Span, seen: float) -> Reading:
        markers = "|".join(source.marker for source in (*SERVERS, GPU))
        asked = {"match[]": f'{{__name__=~"{markers}"}}', "start": seen - span.seconds, "end": seen}
        found = {str(series.get("__name__")) for series in await self._get("series", asked, list)}
        server = next((source for source in SERVERS if source.marker in found), None)
        watched = [source for source in (server, GPU) if source and source.marker in found]
        if not watched:
            raise NoFigures(
                f"{self._endpoint.place} has no figures of Spaceport, of vLLM or of a GPU in that time.", SCRAPE
            )
        panels = await asyncio.gather(*(self._panel(each, span, seen) for source in watched for each in source.panels))
        names = " and ".join(source.name for source in watched)
        return Reading(names, seen, span, tuple(panels), GPU in watched)

    async def _panel(self, panel: Panel, span: Span, seen: float) -> Drawn:
        now, *lines = await asyncio.gather(
            self._now(panel.now, seen), *(self._lines(query, span, seen) for query in panel.lines)
        )
        return Drawn(panel, now, tuple(line for several in lines for line in several))

    async def _now(self, query: Query, seen: float) -> float | None:
        found = await self._result("query", {"query": _over(query, NOW_SECONDS), "time": seen})
        return _value(found[0]["value"], query) if found else None

    async def _lines(self, query: Query, span: Span, seen: float) -> list[Line]:
        asked = {"query": _over(query, span.window), "start": seen - span.seconds, "end": seen, "step": span.step}
        found = await self._result("query_range", asked)
        return [_line(series, query) for series in found]

    async def _result(self, route: str, asked: Mapping[str, Any]) -> list[Any]:
        data = await self._get(route, asked, dict)
        found = data.get("result")
        if not isinstance(found, list):
            raise self._stranger("its answer holds no result")
        return found

    async def _get(self, route: str, asked: Mapping[str, Any], kind: type) -> Any:
        """The data of an answer, which must be of this kind."""
        endpoint = self._endpoint
        with translated(endpoint):
            response = await client().get(
                endpoint.route(f"/api/v1/{route}"), params=asked, headers=endpoint.headers, timeout=endpoint.timeout
            )
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status_code != 200:
            raise self._refusal(response.status_code, body)
        if not isinstance(body, dict) or body.get("status") != "success" or not isinstance(body.get("data"), kind):
            raise self._stranger("it does not speak Prometheus's API")
        return body["data"]

    def _refusal(self, status: int, body: Any) -> BackendError:
        """The error for a status that is no success, with Prometheus's own words where it has some."""
        words = self._endpoint.quoted(str(body["error"])) if isinstance(body, dict) and "error" in body else ""
        said = f": “{words}”." if words else "."
        remedy = "Put a name and a password into the URL, or set SPACEPORT_PROMETHEUS_TOKEN."
        return Rejected(
            f"{self._endpoint.place} refused the question ({status}){said}",
            remedy if status in (401, 403) else CHECK,
            status=status,
        )

    def _stranger(self, why: str) -> NotPrometheus:
        return NotPrometheus(f"What answers at {self._endpoint.shown} is no Prometheus: {why}.", CHECK)


def _over(query: Query, seconds: int) -> str:
    return Template(query.promql).substitute(window=f"{seconds}s")


def _line(series: Any, query: Query) -> Line:
    labels = _Labels(series["metric"])
    points = [(float(pair[0]), _value(pair, query)) for pair in series["values"]]
    return Line(
        " ".join(query.label.format_map(labels).split()),
        tuple(at for at, _ in points),
        tuple(value for _, value in points),
    )


def _value(pair: Any, query: Query) -> float | None:
    """The value of a pair of a time and a text; NaN says that there was nothing to tell."""
    value = float(pair[1]) * query.scale
    return value if math.isfinite(value) else None


class _Labels(dict[str, str]):
    """Labels of a series; one that is missing says nothing."""

    def __missing__(self, _: str) -> str:
        return ""
