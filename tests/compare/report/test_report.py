"""The report: complete as JSON, safe as HTML and Markdown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from backends.token_prices import PerToken
from compare.analyse.costs.prices import Hourly
from compare.report import tables
from compare.report.files.export import report_json, report_markdown
from compare.report.files.html_report import html
from compare.report.overview.cards import caveats_html
from compare.report.report import Report
from compare.report.views import render
from compare.report.views.html_table import table
from compare.report.words import formats, strings
from compare.runs.records import Run
from tests.compare.make_runs import block, build_run, failure, record, simulate
from tests.compare.report.test_requests_csv import read_csv

TODAY = date(2026, 6, 1)
MACHINE = Hourly("machine", 0.0585, "a bill")
TOKENS = PerToken("model", 0.5, 2.0, "a bill")
BOLD = "<b>x</b>"
SCRIPT = "</script><script>alert(1)</script>"
IMAGE = '<img src=x onerror="alert(1)">'


class Page(HTMLParser):
    """A page's elements with their attributes, and its text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = self.code = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.code += data
        else:
            self.text += data

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]


def several() -> Run:
    """Return a run of two targets at two loads, one with a cold start and an error."""
    run = simulate({"a": 1.0, "b": 2.0}, rounds=55, noise=0.02)
    run.header["loads"].append("concurrency 2")
    run.header["plan"]["requests"] = 110
    run.records += [replace(each, load="concurrency 2") for each in run.records if each.target == "a"]
    run.blocks += [replace(each, load="concurrency 2") for each in run.blocks if each.target == "a"]
    run.records += [record(2.0, phase="cold", delay=0.5), failure("Overloaded", target="b", block=3)]
    return run


def alone() -> Run:
    return simulate({"a": 1.0})


def only_failures() -> Run:
    return build_run(failure(phase="cold"), *[failure(target=name) for name in "aabb"], block(1.0), targets=("a", "b"))


SEVERAL, EARLIER = several(), several()
RUNS = {
    "several": SEVERAL,
    "one target": alone(),
    "only failures": only_failures(),
    "empty": build_run(targets=("a", "b")),
    "empty, one target": build_run(ended=""),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_every_run_makes_every_format(run: Run) -> None:
    report = Report(run, prices={"a": MACHINE}, alternatives=[TOKENS], today=TODAY)
    result = json.loads(json.dumps(report_json(report), allow_nan=False))
    assert list(result["targets"]) == run.targets
    assert result["run"] == run.header
    assert (result["ended"], result["definition"], result["objective"]["name"]) == (run.ended, "spaceport", "default")
    assert result["caveats"] == report.caveats
    assert report_markdown(report).startswith(f"**{' vs '.join(run.targets)}** · Short question · 2026-02-03")
    assert len(read_csv(run)) == len(run.records)
    page = Page(html(report))
    assert page.tags.count("section") == 6
    for target in run.targets:
        assert target in page.text


@pytest.mark.parametrize("definition", ["spaceport", "vllm", "aiperf", "guidellm"])
def test_json_has_every_metric_with_its_percentiles(definition: str) -> None:
    result = json.loads(json.dumps(report_json(Report(SEVERAL, definition, today=TODAY)), allow_nan=False))
    assert result["definition"] == definition
    for target, loads in (("a", ["concurrency 1", "concurrency 2"]), ("b", ["concurrency 1"])):
        metrics = result["targets"][target]
        assert list(metrics["by_load"]) == loads
        for cell in (metrics, *metrics["by_load"].values()):
            for name in ("ttft_ms", "itl_ms", "tpot_ms", "e2e_ms"):
                assert list(cell[name]) == ["n", "mean", "p50", "p90", "p95", "p99"]
                assert all(value > 0 for value in cell[name].values())
        assert all("client" in cell for cell in metrics["by_load"].values())


def test_json_has_the_metrics_of_the_run() -> None:
    run = build_run(
        record(0.1, 0.3, tokens=3, ended=0.4),
        record(1.0, phase="cold", delay=0.5, ended=1.5),
        failure("TimedOut"),
        block(2.0, cpu_seconds=0.5),
    )
    result = report_json(Report(run, prices={"a": MACHINE}, today=TODAY))
    metrics = result["targets"]["a"]["by_load"]["concurrency 1"]
    assert metrics["ttft_ms"] == {
        "n": 1,
        "mean": pytest.approx(100),
        "p50": pytest.approx(100),
        "p90": None,
        "p95": None,
        "p99": None,
    }
    assert (metrics["requests"], metrics["succeeded"], metrics["errors"]) == (2, 1, {"TimedOut": 1})
    assert metrics["output_tokens_per_s"] == 1.5
    assert metrics["client"]["cpu_share"] == 0.25
    assert metrics["cost"]["per_1000_requests"] == pytest.approx(0.0585 / 3600 / 0.5 * 1000)
    assert result["targets"]["a"]["cold"] == {"ttft_ms": 1500, "e2e_ms": 2000}


def test_json_has_the_verdicts_as_sentences() -> None:
    result = report_json(Report(SEVERAL, earlier=EARLIER, today=TODAY))
    first = result["verdicts"][0]
    assert (first["decision"], first["faster"], first["slower"]) == ("faster", "a", "b")
    assert first["text"].startswith("a is 2.0 times faster to the first token than b (")
    assert result["changes"][0]["faster"] in ("a (this run)", "a (earlier)")
    assert result["changes"][0]["decision"] != "faster"
    assert result["recommended_requests"] > 0


def test_the_break_even_uses_the_load_with_the_highest_rate() -> None:
    run = simulate({"a": 1.0})
    run.header["loads"].append("concurrency 2")
    run.records += [replace(each, load="concurrency 2") for each in run.records]
    run.blocks += [replace(each, load="concurrency 2", seconds=each.seconds / 2) for each in run.blocks]
    report = Report(run, prices={"a": MACHINE}, alternatives=[TOKENS], today=TODAY)
    assert report.best_load == {"a": "concurrency 2"}
    even = report.break_evens[0]
    rate = report.cells["a", "concurrency 2"].requests_per_s
    assert rate is not None
    assert even.requests_per_hour == pytest.approx(0.0585 / ((10 * 0.5 + 8 * 2) / 1e6))
    assert even.capacity_share == pytest.approx(even.requests_per_hour / 3600 / rate)


@pytest.mark.parametrize(
    ("usd_hour", "text"),
    [
        # Half a request per second is 1,800 an hour; a request of 10 tokens in and 30 out costs 65e-6 by tokens.
        (0.0585, "From 900 requests per hour on (50% of the measured throughput), machine is cheaper than model."),
        (
            3.6,
            "At the measured throughput, machine is never cheaper than model: it would have to answer 55,385 requests "
            "per hour, 30.8 times as many. More concurrency may reach that; measure it.",
        ),
    ],
)
def test_the_sentence_of_a_break_even(usd_hour: float, text: str) -> None:
    run = build_run(*[record(0.1, tokens=30) for _ in range(4)], block(8.0))
    report = Report(run, prices={"a": replace(MACHINE, usd_hour=usd_hour)}, alternatives=[TOKENS], today=TODAY)
    assert text in render.cost_html(report)


def test_utilisation_raises_the_cost() -> None:
    run = build_run(record(0.1, tokens=30), block(2.0))
    full, half = (Report(run, prices={"a": MACHINE}, utilisation=share) for share in (1.0, 0.5))
    assert half.costs["a", "concurrency 1"].per_1000_requests == pytest.approx(
        2 * (full.costs["a", "concurrency 1"].per_1000_requests or 0)
    )
    assert "at 50% of the measured throughput" in render.cost_html(half)
    assert "at the measured throughput" in render.cost_html(full)


def hostile() -> Run:
    """Return a run whose names and errors are markup."""
    run = simulate({BOLD: 1.0, SCRIPT: 2.0}, rounds=50, noise=0.02)
    run.records.append(failure("Rejected", f"The server said {IMAGE}.", f"Look {IMAGE}", target=BOLD))
    run.header["workload"]["description"] = f"Mine {IMAGE}"
    run.header["targets"][BOLD]["settings"] = {"model": IMAGE}
    run.header["targets"][BOLD]["served"] = {"model": IMAGE}
    return run


def test_names_and_errors_are_never_markup() -> None:
    prices = {BOLD: replace(MACHINE, name=IMAGE), SCRIPT: TOKENS}
    report = Report(hostile(), prices=prices, earlier=hostile(), today=TODAY)
    text = html(report)
    page = Page(text)
    harmless = Page(html(Report(SEVERAL, prices={"a": MACHINE, "b": TOKENS}, earlier=EARLIER, today=TODAY)))
    assert set(page.tags) == set(harmless.tags)
    assert page.tags.count("script") == harmless.tags.count("script")
    assert not {"b", "img"} & set(page.tags)
    for text_part in (BOLD, SCRIPT, f"The server said {IMAGE}. Look {IMAGE}", f"Mine {IMAGE}", f"model = {IMAGE}"):
        assert text_part in page.text
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "<script>alert" not in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text


def test_the_page_loads_nothing_from_elsewhere() -> None:
    text = html(Report(SEVERAL, prices={"a": MACHINE, "b": TOKENS}, today=TODAY))
    page = Page(text)
    assert not {"link", "img", "iframe", "base", "object", "embed"} & set(page.tags)
    assert not any({"src", "href", "srcset", "data"} & set(attributes) for _, attributes in page.elements)
    style = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    assert style
    assert "@import" not in style
    assert "url(" not in style
    assert page.tags.count("script") > 3  # the charts and Plotly are inline
    assert "plotly.js v" in page.code


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (render.verdict_html, "a is 2.0 times faster to the first token than b"),
        (render.verdict_html, "Compared with the earlier run"),
        (render.verdict_html, "requests per target. This run had "),
        (render.verdict_html, "comparisons don't have enough measurements"),
        (render.metrics_html, "Goodput: first token within 1,000 ms, each further token within 100 ms."),
        (render.cost_html, "USD per 1,000 requests"),
        (render.reproduce_html, "0123456789ab, seed 0"),
        (render.reproduce_html, "hash 8fd601bf1191cd97"),
        (render.reproduce_html, "Linux x86_64, 2 processors, Python 3.11.9"),
        (render.reproduce_html, "kind = openai"),
    ],
)
def test_the_parts_of_the_page(part: Any, text: str) -> None:
    assert text in Page(part(Report(SEVERAL, prices={"a": MACHINE}, earlier=EARLIER, today=TODAY))).text


@pytest.mark.parametrize(
    ("run", "part", "text"),
    [
        (alone(), render.verdict_html, "One target alone has no verdict."),
        (SEVERAL, render.cost_html, "No target has a price."),
    ],
)
def test_missing_results_are_explained(run: Run, part: Any, text: str) -> None:
    assert text in part(Report(run, today=TODAY))


def test_cells_of_a_table_are_escaped() -> None:
    assert table((BOLD, "n"), [[BOLD, IMAGE]], key="x") == (
        '<div class="sp-table"><table><thead><tr><th>&lt;b&gt;x&lt;/b&gt;</th><th class="sp-num">n</th></tr></thead>'
        '<tbody><tr class="sp-row"><td data-label="&lt;b&gt;x&lt;/b&gt;">&lt;b&gt;x&lt;/b&gt;</td>'
        '<td class="sp-num" data-label="n">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;</td></tr></tbody></table>'
        "</div>"
    )
    assert caveats_html([IMAGE]).count("<img") == 0
    assert caveats_html([]) == ""


def test_names_cant_break_a_markdown_table() -> None:
    run = simulate({"a|b": 1.0, "c": 2.0}, rounds=50)
    lines = report_markdown(Report(run, prices={"c": MACHINE}, today=TODAY)).splitlines()
    rows = [line for line in lines if line.startswith(("| a", "| c "))]
    assert [len(re.split(r"(?<!\\)\|", row)) - 2 for row in rows] == [len(strings.METRIC_HEADERS)] * 2 + [5]
    assert len({len(row) for row in rows[:2]}) == 1
    assert "- concurrency 1: a|b is 2.0 times faster to the first token than c (2.0 to 2.0)" in lines
    assert "- Note: a|b has no price, so its cost is unknown." in lines


ACTIVE = "[x](http://e.example/) \\[x](http://e.example/) !\\[x](http://e.example/) ![x](http://e.example/p.png)"
ACTIVE += f" {IMAGE} &lt;b>\n\n# Head\n\n[x]: http://e.example/"


def test_a_download_in_markdown_has_no_tag_picture_or_link_of_a_run() -> None:
    """A run can come from anybody. Its author must not choose what a reader's program loads."""
    run = simulate({ACTIVE: 1.0, SCRIPT: 2.0}, rounds=50, noise=0.02)
    run.records.append(failure("Rejected", f"The server said {ACTIVE}.", f"Look {ACTIVE}", target=SCRIPT))
    header = run.header
    header |= {"id": ACTIVE, "started": ACTIVE}
    header["workload"] |= {"description": ACTIVE, "hash": ACTIVE}
    header["environment"] |= {"python": ACTIVE, "system": ACTIVE, "packages": {ACTIVE: ACTIVE}}
    header["targets"][SCRIPT]["settings"] = {ACTIVE: ACTIVE}
    prices = {ACTIVE: replace(MACHINE, name=ACTIVE)}
    markdown = report_markdown(Report(run, prices=prices, earlier=run, alternatives=[TOKENS], today=TODAY))
    assert "http://e.example/" in markdown
    for rules in ("commonmark", "gfm-like", "js-default"):
        page = Page(MarkdownIt(rules, {"html": True, "linkify": False}).render(markdown))
        assert not {"img", "a", "b", "script", "h1"} & set(page.tags)
        assert IMAGE in page.text


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (formats.milliseconds, None, "–"),
        (formats.milliseconds, 1234.5, "1,234"),
        (formats.milliseconds, 99.94, "99.9"),
        (formats.milliseconds, 1.234, "1.23"),
        (formats.rate, None, "–"),
        (formats.rate, 1234.0, "1,234"),
        (formats.rate, 12.34, "12.3"),
        (formats.rate, 0.1234, "0.123"),
        (formats.usd, None, "–"),
        (formats.usd, 0.0, "0.00"),
        (formats.usd, 1234.567, "1,234.57"),
        (formats.usd, 0.000123, "0.00012"),
        (formats.usd, 0.1, "0.10"),
        (formats.usd, 0.0000123, "0.000012"),
        (formats.usd, -0.1, "-0.10"),
        (formats.signed_points, -0.001, "0"),
        (formats.signed_points, -0.16, "-16"),
        (formats.signed_points, 0.938, "+94"),
    ],
)
def test_numbers_have_meaningful_digits(form: Any, value: float | None, text: str) -> None:
    assert form(value) == text


def test_a_moment_is_a_date_and_a_time_and_another_text_stays() -> None:
    assert formats.moment("2026-11-21T11:23:49.993+01:00") == "2026-11-21 10:23 UTC"
    assert formats.moment("<2026>") == "<2026>"


def test_the_row_of_a_target() -> None:
    report = Report(build_run(record(0.125, 0.375, tokens=3, ended=0.5), failure(), block(2.0)), today=TODAY)
    assert tables.metrics_row("a", "concurrency 1", report.cells["a", "concurrency 1"]) == [
        "a", "concurrency 1", "2", "1", "125", "–", "250", "188", "500", "–", "1.5", "0.500", "0%",
    ]  # fmt: skip
    assert [line[:3] for line in tables.percentile_rows(report.overall["a"])] == [
        ["First token", "1", "125"],
        ["First token of the answer", "1", "125"],
        ["First token, from the intended start", "1", "125"],
        ["Inter-token latency", "1", "250"],
        ["Time per output token", "1", "188"],
        ["End to end", "1", "500"],
        ["End to end, from the intended start", "1", "500"],
    ]


def test_the_options_of_a_report_are_printed() -> None:
    run = simulate({"a": 1.0, "b": 1.5}, noise=0.02)
    earlier = simulate({"a": 1.0, "b": 1.0})
    report = Report(run, prices={"a": MACHINE}, alternatives=[TOKENS], utilisation=0.5, earlier=earlier, today=TODAY)
    printed = report_markdown(report)
    assert "Hourly endpoints are priced at 50% of the measured throughput." in printed
    assert "is never cheaper than model" in printed or "is cheaper than model" in printed
    assert "requests per target" in printed
    assert "not interleaved" in printed
