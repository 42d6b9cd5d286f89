"""The report: complete as JSON, safe as HTML and CSV, and honest about what could bend its figures."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from compare.analyse.caveats import caveats
from compare.analyse.prices import Hourly, PerToken
from compare.records import Run
from compare.report import render, tables
from compare.report.html_report import html
from compare.report.report import Report
from tests.compare.make_runs import block, failed, record, run, simulated

TODAY = date(2026, 6, 1)
MACHINE = Hourly("machine", 0.0585, "a bill")
TOKENS = PerToken("model", 0.5, 2.0, "a bill")
BOLD = "<b>x</b>"
SCRIPT = "</script><script>alert(1)</script>"
PICTURE = '<img src=x onerror="alert(1)">'


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text outside scripts and styles."""

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
    """Two targets at two loads, one with a cold start and an error."""
    made = simulated({"a": 1.0, "b": 2.0}, rounds=55, noise=0.02)
    made.header["loads"].append("concurrency 2")
    made.header["plan"]["requests"] = 110
    made.records += [replace(each, load="concurrency 2") for each in made.records if each.target == "a"]
    made.blocks += [replace(each, load="concurrency 2") for each in made.blocks if each.target == "a"]
    made.records += [record(2.0, phase="cold", waited=0.5), failed("Overloaded", target="b", block=3)]
    return made


def alone() -> Run:
    return simulated({"a": 1.0})


def only_failures() -> Run:
    return run(failed(phase="cold"), *[failed(target=name) for name in "aabb"], block(1.0), targets=("a", "b"))


SEVERAL, EARLIER = several(), several()
MADE = {
    "several": SEVERAL,
    "one target": alone(),
    "only failures": only_failures(),
    "empty": run(targets=("a", "b")),
    "empty, one target": run(ended=""),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_every_run_makes_every_kind_of_report(made: Run) -> None:
    report = Report(made, prices={"a": MACHINE}, alternatives=[TOKENS], today=TODAY)
    told = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert list(told["targets"]) == made.targets
    assert told["run"] == made.header
    assert (told["ended"], told["definition"], told["objective"]["name"]) == (made.ended, "spaceport", "default")
    assert told["caveats"] == report.caveats
    assert report.markdown().startswith(f"**{' against '.join(made.targets)}** · Short question · 2026-02-03")
    assert len(read_csv(made)) == len(made.records)
    page = Page(html(report))
    assert page.tags.count("section") == 5
    for target in made.targets:
        assert target in page.text


@pytest.mark.parametrize("definition", ["spaceport", "vllm", "aiperf", "guidellm"])
def test_json_has_each_figure_with_its_percentiles(definition: str) -> None:
    told = json.loads(json.dumps(Report(SEVERAL, definition, today=TODAY).as_json(), allow_nan=False))
    assert told["definition"] == definition
    for target, loads in (("a", ["concurrency 1", "concurrency 2"]), ("b", ["concurrency 1"])):
        found = told["targets"][target]
        assert list(found["by_load"]) == loads
        for cell in (found, *found["by_load"].values()):
            for name in ("ttft_ms", "itl_ms", "tpot_ms", "e2e_ms"):
                assert list(cell[name]) == ["n", "mean", "p50", "p90", "p95", "p99"]
                assert all(value > 0 for value in cell[name].values())
        assert all("client" in cell for cell in found["by_load"].values())


def test_json_has_the_numbers_of_the_run() -> None:
    made = run(
        record(0.1, 0.3, tokens=3, ended=0.4),
        record(1.0, phase="cold", waited=0.5, ended=1.5),
        failed("TimedOut"),
        block(2.0, cpu_seconds=0.5),
    )
    told = Report(made, prices={"a": MACHINE}, today=TODAY).as_json()
    found = told["targets"]["a"]["by_load"]["concurrency 1"]
    assert found["ttft_ms"] == {
        "n": 1,
        "mean": pytest.approx(100),
        "p50": pytest.approx(100),
        "p90": None,
        "p95": None,
        "p99": None,
    }
    assert (found["requests"], found["succeeded"], found["errors"]) == (2, 1, {"TimedOut": 1})
    assert found["output_tokens_per_s"] == 1.5
    assert found["client"]["cpu_share"] == 0.25
    assert found["cost"]["per_1000_requests"] == pytest.approx(0.0585 / 3600 / 0.5 * 1000)
    assert told["targets"]["a"]["cold"] == {"ttft_ms": 1500, "e2e_ms": 2000}


def test_json_has_the_verdicts_in_words() -> None:
    told = Report(SEVERAL, earlier=EARLIER, today=TODAY).as_json()
    first = told["verdicts"][0]
    assert (first["decision"], first["faster"], first["slower"]) == ("faster", "a", "b")
    assert first["text"].startswith("a is 2.0 times faster to the first token than b (")
    assert told["changes"][0]["faster"] in ("a (this run)", "a (earlier)")
    assert told["changes"][0]["decision"] != "faster"
    assert told["recommended_requests"] > 0


def test_the_break_even_is_at_the_load_that_answers_most() -> None:
    made = simulated({"a": 1.0})
    made.header["loads"].append("concurrency 2")
    made.records += [replace(each, load="concurrency 2") for each in made.records]
    made.blocks += [replace(each, load="concurrency 2", seconds=each.seconds / 2) for each in made.blocks]
    report = Report(made, prices={"a": MACHINE}, alternatives=[TOKENS], today=TODAY)
    assert report.best_load == {"a": "concurrency 2"}
    even = report.break_evens[0]
    rate = report.cells["a", "concurrency 2"].requests_per_s
    assert rate is not None
    assert even.requests_per_hour == pytest.approx(0.0585 / ((10 * 0.5 + 8 * 2) / 1e6))
    assert even.capacity_share == pytest.approx(even.requests_per_hour / 3600 / rate)


@pytest.mark.parametrize(
    ("usd_hour", "told"),
    [
        # Half a request a second are 1,800 an hour; one of 10 tokens in and 30 out costs 65e-6 by the token.
        (0.0585, "From 900 requests an hour on (50% of what was measured) machine is cheaper than model."),
        (
            3.6,
            "At the throughput that was measured machine is never cheaper than model: it would have to answer 55,385 "
            "requests an hour, 30.8 times as many. More at once may reach that: measure it.",
        ),
    ],
)
def test_the_break_even_in_words(usd_hour: float, told: str) -> None:
    made = run(*[record(0.1, tokens=30) for _ in range(4)], block(8.0))
    report = Report(made, prices={"a": replace(MACHINE, usd_hour=usd_hour)}, alternatives=[TOKENS], today=TODAY)
    assert told in render.cost_html(report)


def test_utilisation_raises_the_cost_and_is_said() -> None:
    made = run(record(0.1, tokens=30), block(2.0))
    full, half = (Report(made, prices={"a": MACHINE}, utilisation=share) for share in (1.0, 0.5))
    assert half.costs["a", "concurrency 1"].per_1000_requests == pytest.approx(
        2 * (full.costs["a", "concurrency 1"].per_1000_requests or 0)
    )
    assert "at 50% of what was measured" in render.cost_html(half)
    assert "at the measured throughput" in render.cost_html(full)


def hostile() -> Run:
    """Names and errors that are markup."""
    made = simulated({BOLD: 1.0, SCRIPT: 2.0}, rounds=50, noise=0.02)
    made.records.append(failed("Rejected", f"The server said {PICTURE}.", f"Look {PICTURE}", target=BOLD))
    made.header["workload"]["description"] = f"Mine {PICTURE}"
    made.header["targets"][BOLD]["settings"] = {"model": PICTURE}
    made.header["targets"][BOLD]["served"] = {"model": PICTURE}
    return made


def test_names_and_errors_are_text_and_never_markup() -> None:
    prices = {BOLD: replace(MACHINE, name=PICTURE), SCRIPT: TOKENS}
    report = Report(hostile(), prices=prices, earlier=hostile(), today=TODAY)
    text = html(report)
    page = Page(text)
    harmless = Page(html(Report(SEVERAL, prices={"a": MACHINE, "b": TOKENS}, earlier=EARLIER, today=TODAY)))
    assert set(page.tags) == set(harmless.tags)
    assert page.tags.count("script") == harmless.tags.count("script")
    assert not {"b", "img"} & set(page.tags)
    for said in (BOLD, SCRIPT, f"The server said {PICTURE}. Look {PICTURE}", f"Mine {PICTURE}", f"model = {PICTURE}"):
        assert said in page.text
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
    assert page.tags.count("script") > 3  # the pictures and what draws them are inside
    assert "plotly.js v" in page.code


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (render.verdict_html, "a is 2.0 times faster to the first token than b"),
        (render.verdict_html, "Against the earlier run"),
        (render.verdict_html, "requests a target; "),
        (render.verdict_html, "comparisons have too few measurements to tell"),
        (render.metrics_html, "Goodput: first token within 1000 ms, each further token within 100 ms."),
        (render.cost_html, "USD per 1,000 requests"),
        (render.reproduce_html, "0123456789ab, seed 0"),
        (render.reproduce_html, "hash 8fd601bf1191cd97"),
        (render.reproduce_html, "Linux x86_64, 2 processors, Python 3.11.9"),
        (render.reproduce_html, "kind = openai"),
    ],
)
def test_what_the_parts_of_the_page_say(part: Any, said: str) -> None:
    assert said in Page(part(Report(SEVERAL, prices={"a": MACHINE}, earlier=EARLIER, today=TODAY))).text


@pytest.mark.parametrize(
    ("made", "part", "said"),
    [
        (alone(), render.verdict_html, "One target alone has no verdict: name two"),
        (SEVERAL, render.cost_html, "No target has a price."),
    ],
)
def test_what_is_missing_is_said(made: Run, part: Any, said: str) -> None:
    assert said in part(Report(made, today=TODAY))


def test_cells_of_a_table_are_escaped() -> None:
    assert render.table((BOLD, "n"), [[BOLD, PICTURE]], first=1) == (
        '<div class="sp-table"><table><thead><tr><th>&lt;b&gt;x&lt;/b&gt;</th><th class="sp-num">n</th></tr></thead>'
        "<tbody><tr><td>&lt;b&gt;x&lt;/b&gt;</td>"
        '<td class="sp-num">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;</td></tr></tbody></table></div>'
    )
    assert render.caveats_html([PICTURE]).count("<img") == 0
    assert render.caveats_html([]) == ""


def test_markdown_is_a_table_that_names_cannot_break() -> None:
    made = simulated({"a|b": 1.0, "c": 2.0}, rounds=50)
    lines = Report(made, prices={"c": MACHINE}, today=TODAY).markdown().splitlines()
    rows = [line for line in lines if line.startswith(("| a", "| c "))]
    assert [len(re.split(r"(?<!\\)\|", row)) - 2 for row in rows] == [len(tables.HEADS)] * 2 + [5]
    assert len({len(row) for row in rows[:2]}) == 1
    assert "- concurrency 1: a|b is 2.0 times faster to the first token than c (2.0 to 2.0)" in lines
    assert "- Note: a|b has no price: its cost is not known." in lines


def read_csv(made: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables.requests_csv(made), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("column", ["target", "load", "finish_reason", "error"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(column: str, start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    entry = failed(evil, "no") if column == "error" else replace(record(0.1), **{column: evil})
    (line,) = read_csv(run(entry, targets=("a",)))
    assert line[column].startswith(f"'{evil}")


@pytest.mark.parametrize("said", ['"no", it said', "two\nlines", "one line\r=HYPERLINK(1)", "a; b", "…"])
def test_a_cell_of_csv_stays_one_cell(said: str) -> None:
    lines = read_csv(run(failed("Rejected", said), record(0.1)))
    assert [line["error"] for line in lines] == [f"Rejected: {said}", ""]


def test_a_request_is_a_line_of_csv() -> None:
    made = run(
        record(0.25, 0.5, sent=1.5, waited=0.5, ended=0.75, tokens=4),
        failed("Rejected", "No such key.", sent=3.0, target="b", block=2),
    )
    good, bad = read_csv(made)
    assert tuple(good) == tables.CSV_HEADS
    assert good == {
        "run": "0123456789ab",
        "seed": "0",
        "workload_hash": "8fd601bf1191cd97",
        "target": "a",
        "load": "concurrency 1",
        "block": "0",
        "phase": "measured",
        "prompt": "0",
        "intended_s": "1.0",
        "sent_s": "1.5",
        "ttft_ms": "250.0",
        "e2e_ms": "750.0",
        "deltas": "2",
        "input_tokens": "10",
        "output_tokens": "4",
        "finish_reason": "stop",
        "error": "",
    }
    assert (bad["target"], bad["block"], bad["error"]) == ("b", "2", "Rejected: No such key.")
    assert (bad["ttft_ms"], bad["deltas"], bad["output_tokens"], bad["finish_reason"]) == ("", "0", "", "")


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (tables.milliseconds, None, "–"),
        (tables.milliseconds, 1234.5, "1,234"),
        (tables.milliseconds, 99.94, "99.9"),
        (tables.milliseconds, 1.234, "1.23"),
        (tables.rate, None, "–"),
        (tables.rate, 1234.0, "1,234"),
        (tables.rate, 12.34, "12.3"),
        (tables.rate, 0.1234, "0.123"),
        (tables.usd, None, "–"),
        (tables.usd, 0.0, "0.00"),
        (tables.usd, 1234.567, "1,234.57"),
        (tables.usd, 0.000123, "0.00012"),
    ],
)
def test_numbers_have_the_digits_that_say_something(form: Any, value: float | None, text: str) -> None:
    assert form(value) == text


def test_the_line_of_a_target() -> None:
    report = Report(run(record(0.125, 0.375, tokens=3, ended=0.5), failed(), block(2.0)), today=TODAY)
    assert tables.row("a", "concurrency 1", report.cells["a", "concurrency 1"]) == [
        "a", "concurrency 1", "2", "1", "125", "–", "250", "188", "500", "–", "1.5", "0.500", "0%",
    ]  # fmt: skip
    assert [line[:3] for line in tables.percentiles(report.overall["a"])] == [
        ["First token", "1", "125"],
        ["First token of the answer", "1", "125"],
        ["First token, from the intended start", "1", "125"],
        ["Inter-token latency", "1", "250"],
        ["Time per output token", "1", "188"],
        ["End to end", "1", "500"],
        ["End to end, from the intended start", "1", "500"],
    ]


def clean(**more: Any) -> Run:
    """A run with nothing to say about; the texts come 10 ms apart."""
    return simulated({"a": 1.0, "b": 1.0}, **more)


def test_a_sound_run_has_no_caveat() -> None:
    assert caveats(clean()) == []


@pytest.mark.parametrize(("lag", "count", "flagged"), [(0.0016, 100, True), (0.0009, 100, False), (0.0016, 99, False)])
def test_a_client_late_by_more_than_a_twentieth_of_the_gaps_is_flagged(lag: float, count: int, flagged: bool) -> None:
    made = clean()
    made.blocks.append(block(1.0, target="b", lags=[lag] * count))
    expected = (
        "b, concurrency 1: the client was late itself: its event loop's p99 lag of 1.6 ms is 16% of the mean "
        "inter-token latency (10.0 ms). Give it a machine of its own."
    )
    assert caveats(made) == ([expected] if flagged else [])


def test_a_model_inside_the_client_needs_no_machine_of_its_own() -> None:
    made = clean()
    made.header["targets"]["b"]["settings"]["kind"] = "embedded"
    made.blocks.append(block(1.0, target="b", lags=[0.0016] * 100))
    assert caveats(made)[0].endswith("The model runs in its process.")


def answers(*lengths: int) -> Run:
    names = "ab"[: len(lengths)]
    return run(
        *[record(0.1, 0.2, target=name, tokens=count) for name, count in zip(names, lengths, strict=True)], block(1.0)
    )


@pytest.mark.parametrize(
    ("lengths", "told"),
    [
        ((100, 110), []),
        (
            (100, 111),
            ["Answers differ in length (a 100, b 111 tokens on average): end-to-end times are not of equal work."],
        ),
        ((100,), []),
    ],
)
def test_answers_of_different_length_are_no_equal_work(lengths: Sequence[int], told: list[str]) -> None:
    assert caveats(answers(*lengths)) == told


def test_every_request_failing_is_told_with_the_first_error() -> None:
    made = run(
        *[failed("Rejected", "No such key.", "Set one.") for _ in range(4)], *[record(0.1, target="b", tokens=2)] * 4
    )
    assert caveats(made) == ["a: every request failed. The first error: No such key. Set one."]


def test_some_failures_are_told_by_kind() -> None:
    made = run(record(0.1, tokens=2), failed("TimedOut", "Late."), failed("TimedOut", "Late."), record(tokens=0))
    assert caveats(made) == ["a: 3 of 4 requests failed (2 TimedOut, 1 Empty). The first error: Late."]


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ("finished", []),
        ("stopped", ["The run was stopped before its end; the figures are of what was measured until then."]),
        ("out of time", ["The run reached its longest duration; the figures are of what was measured until then."]),
        ("", ["The run broke off without an end; the figures are of what was stored until then."]),
    ],
)
def test_a_run_that_did_not_finish(ended: str, told: list[str]) -> None:
    made = clean()
    made.ended = ended
    assert caveats(made) == told


def test_targets_that_were_given_up_or_never_measured() -> None:
    made = clean()
    made.records = [each for each in made.records if each.target == "a" or each.block < 5]
    assert caveats(made) == ["b: given up after 10 of 40 requests, because several failed in a row."]
    made.records = [each for each in made.records if each.target == "a"]
    assert caveats(made) == ["b: nothing was measured."]
    made.records.append(failed("Unreachable", "Nothing answers.", "Start it.", target="b", phase="cold"))
    assert caveats(made) == ["b: nothing was measured. The first error: Nothing answers. Start it."]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (record(0.1, 0.2), "a does not report its tokens: no time per output token, no tokens/s, no cost."),
        (
            record(0.1, 0.2, tokens=4, cached=6),
            "a took 60% of its input tokens from a cache, in spite of the nonces.",
        ),
        (record(0.1, 0.2, tokens=4, cached=5), None),
        (
            record(0.1, 0.2, tokens=4, sent=1.0, waited=0.03, marks={"connected": -0.02, "headers": 0.05}),
            "a: 1 of 1 requests opened a new connection, 10.0 ms before each was sent.",
        ),
        (record(0.1, 0.2, tokens=4, waited=0.001, marks={"connected": 0.0, "headers": 0.05}), None),
    ],
    ids=["no tokens", "cached", "half cached", "new connection", "quick connection"],
)
def test_what_else_bends_figures(entry: Any, told: str | None) -> None:
    assert caveats(run(entry)) == ([told] if told else [])


def test_doubtful_and_missing_prices_are_told_once() -> None:
    old = replace(MACHINE, seen=date(2025, 1, 26))
    made = simulated({"a": 1.0, "b": 1.0, "c": 1.0})
    assert Report(made, prices={"a": old, "b": old}, today=TODAY).caveats == [
        "The price of machine is of 2025-01-26, 491 days old: check it.",
        "c has no price: its cost is not known.",
    ]
    assert Report(made, today=TODAY).caveats == []
    fresh = replace(MACHINE, seen=date(2026, 5, 1))
    assert Report(made, prices=dict.fromkeys("abc", fresh), today=TODAY).caveats == []


def test_runs_that_asked_for_other_things_say_so() -> None:
    earlier = clean()
    earlier.header["plan"]["max_tokens"] = 4
    earlier.header["workload"]["hash"] = "another"
    told = Report(clean(), earlier=earlier, today=TODAY).caveats[0]
    assert told.startswith("The two runs differ in more than time: the workload (")
    assert "the longest answer (4 before, None now)" in told
    assert Report(clean(), earlier=clean(seed=1), today=TODAY).caveats == []


def test_what_was_asked_of_a_report_is_printed() -> None:
    made = simulated({"a": 1.0, "b": 1.5}, noise=0.02)
    printed = Report(
        made, prices={"a": MACHINE}, alternatives=[TOKENS], utilisation=0.5, earlier=clean(), today=TODAY
    ).markdown()
    assert "Endpoints by the hour at 50% of what was measured." in printed
    assert "is never cheaper than model" in printed or "is cheaper than model" in printed
    assert "requests a target" in printed
    assert "not measured together" in printed


def test_a_break_even_without_a_price_by_the_hour_is_said() -> None:
    assert "No target has a price by the hour" in " ".join(Report(clean(), alternatives=[TOKENS]).caveats)


def test_an_open_loop_that_is_too_much_is_said() -> None:
    made = run(
        *[
            record(0.5 + place, load="4 requests/s, constant", sent=place / 4, concurrency=None, block=number)
            for number in range(2)
            for place in range(10)
        ]
    )
    made.header["loads"] = ["4 requests/s, constant"]
    told = " ".join(caveats(made))
    assert "it did not keep up: 4 requests/s were due and 0.8 ended" in told


def test_answers_without_text_are_not_called_failures() -> None:
    told = " ".join(caveats(run(record(), record())))
    assert "every answer was empty: 2 ended well and held no text" in told


def test_texts_that_come_together_are_said() -> None:
    made = run(*[record(0.1, 0.1, 0.2, 0.2, block=number) for number in range(12)])
    assert "67% of its texts came together" in " ".join(caveats(made))
