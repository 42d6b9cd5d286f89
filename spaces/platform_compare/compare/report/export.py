"""A report as JSON and as Markdown, and its rows of costs and of the run's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from compare.analyse.client_load import ClientLoad
from compare.analyse.definitions import TITLES
from compare.analyse.metrics import cold_start
from compare.report import strings, tables
from compare.report.formats import milliseconds, percent, usd
from compare.report.report import Report


def report_json(report: Report) -> dict[str, Any]:
    """Return the report as plain values; times in milliseconds, a percentile of too few values as None."""
    return {
        "version": 1,
        "run": report.run.header,
        "ended": report.run.ended,
        "definition": report.definition,
        "objective": asdict(report.objective),
        "targets": {target: _target_json(report, target) for target in report.run.targets},
        "verdicts": [asdict(verdict) | {"text": strings.verdict_text(verdict)} for verdict in report.verdicts],
        "changes": [asdict(verdict) | {"text": strings.verdict_text(verdict)} for verdict in report.changes],
        "recommended_requests": report.recommended_requests,
        "break_even": [asdict(even) for even in report.break_evens],
        "caveats": report.caveats,
    }


def _target_json(report: Report, target: str) -> dict[str, Any]:
    first = cold_start(report.run, target)
    by_load = {
        load: asdict(metrics)
        | {"client": asdict(report.client_loads[target, load])}
        | ({"cost": asdict(report.costs[target, load])} if (target, load) in report.costs else {})
        for (name, load), metrics in report.cells.items()
        if name == target
    }
    start = {"ttft_ms": first[0] * 1000, "e2e_ms": first[1] * 1000} if first else None
    return asdict(report.overall[target]) | {"cold": start, "by_load": by_load}


def report_markdown(report: Report) -> str:
    """Return the report as Markdown, to paste into an issue or a document."""
    header = report.run.header
    title = (
        f"**{strings.versus(report.run.targets)}** · {header['workload']['description']} · {header['started']} · "
        f"{strings.metrics_title(TITLES[report.definition])}, times in ms"
    )
    rows = [tables.metrics_row(*key, metrics) for key, metrics in report.cells.items()]
    parts = [title, "", tables.markdown_table(strings.METRIC_HEADERS, rows)]
    if report.costs:
        parts += ["", tables.markdown_table(strings.COST_HEADERS, cost_rows(report)), ""]
        parts += [f"- {text}" for text in report.cost_notes]
    notes = [*([strings.NOT_INTERLEAVED] if report.changes else []), *report.caveats]
    return "\n".join(
        [
            *parts,
            "",
            *(f"- {verdict.load}: {strings.verdict_text(verdict)}" for verdict in (*report.verdicts, *report.changes)),
            *(f"- {strings.NOTE}: {text}" for text in notes),
            *([f"- {report.advice}"] if report.advice else []),
            "",
            f"{strings.REPRODUCE}:",
            "",
            *(f"- {name}: {text}" for name, text in settings_rows(report)),
            "",
        ]
    )


def cost_rows(report: Report) -> list[list[str]]:
    """Return the costs as text, below `strings.COST_HEADERS`."""
    return [
        [target, load, each.price, usd(each.per_1000_requests), usd(each.per_million_output_tokens)]
        for (target, load), each in report.costs.items()
    ]


def settings_rows(report: Report) -> list[list[str]]:
    """Return everything that is needed to reproduce the run, as pairs of a name and a text."""
    header = report.run.header
    plan, environment, workload = header["plan"], header["environment"], header["workload"]
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    machine = f"{environment['system']}, {environment['processors']} processors, Python {environment['python']}"
    loads = f"{', '.join(header['loads'])}; {plan['requests']} requests each after {plan['warmup']} warm-up requests"
    return [
        [strings.STARTED, header["started"]],
        [strings.RUN, f"{header['id']}, seed {plan['seed']}"],
        [strings.WORKLOAD, f"{workload['description']} ({workload['prompts']} prompts, hash {workload['hash']})"],
        [strings.LOADS, loads],
        [strings.MACHINE, machine],
        [strings.PACKAGES, packages],
        *([name, _target_text(target)] for name, target in header["targets"].items()),
        *(
            [f"{strings.CLIENT_LOAD}, {target}, {load}", _client_text(each)]
            for (target, load), each in report.client_loads.items()
        ),
    ]


def _target_text(target: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{key} = {value}" for key, value in target["settings"].items())
    model = target.get("served", {}).get("model")
    return f"{settings}; serves {model}" if model else settings


def _client_text(load: ClientLoad) -> str:
    lags = f"lag p50 {milliseconds(load.lag_p50_ms)} ms, p99 {milliseconds(load.lag_p99_ms)} ms"
    connections = f"{load.new_connections} of {load.known_connections} connections were new"
    return f"{lags}; CPU {percent(load.cpu_share)}; {connections}"
