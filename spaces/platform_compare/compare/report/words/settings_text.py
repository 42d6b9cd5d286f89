"""The settings of a run as text: everything that is needed to reproduce it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compare.analyse.metrics.client_load import ClientLoad
from compare.report.report import Report
from compare.report.words.formats import milliseconds, moment, percent


def settings_rows(report: Report) -> list[list[str]]:
    """Return everything that is needed to reproduce the run, as pairs of a name and a text."""
    header = report.run.header
    plan, environment, workload = header["plan"], header["environment"], header["workload"]
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    machine = f"{environment['system']}, {environment['processors']} processors, Python {environment['python']}"
    clients = [["Clients", f"{header['clients']['count']} processes"]] if header.get("clients") else []
    by_us = [["Machine", machine], *clients, ["Packages", packages]]
    count = f"up to {plan['requests']}" if report.run.is_search else f"{plan['requests']}"
    loads = f"{', '.join(header['loads'])}; {count} requests each after {plan['warmup']} warm-up requests"
    return [
        ["Started", moment(header["started"])],
        ["Run", f"{header['id']}, seed {plan['seed']}"],
        ["Workload", f"{workload['description']} ({workload['prompts']} prompts, hash {workload['hash']})"],
        ["Loads", loads],
        *([] if report.run.source else by_us),
        *([name, _target_text(target)] for name, target in header["targets"].items()),
        *(
            [f"Client load, {target}, {load}", _client_text(each)]
            for (target, load), each in report.client_loads.items()
            if not report.run.source
        ),
    ]


def _target_text(target: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{key} = {value}" for key, value in target["settings"].items())
    model = target.get("served", {}).get("model")
    return f"{settings}; serves {model}" if model else settings


def _client_text(load: ClientLoad) -> str:
    lags = f"lag p50 {milliseconds(load.lag_p50_ms)} ms, p99 {milliseconds(load.lag_p99_ms)} ms"
    connections = f"; {load.new_connections} of {load.known_connections} connections were new"
    return f"{lags}; CPU {percent(load.cpu_share)}{connections if load.known_connections else ''}"
