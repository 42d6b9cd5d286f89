"""The headline of a run in one sentence, the cards, the glossary and the colours."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from compare.analyse.costs.prices import Hourly, Prices
from compare.report.charts.chart_style import COLOURS, target_colours
from compare.report.charts.charts import draw_charts
from compare.report.files.export import report_markdown
from compare.report.files.html_report import html
from compare.report.options import ReportOptions, build_report
from compare.report.overview.cards import make_cards, overview_html
from compare.report.overview.headline import headline
from compare.report.report import Report
from compare.report.views.html_table import table
from compare.report.words.glossary import TERMS, explanation, find_terms, glossary_html, term_html
from compare.report.words.strings import CHART_TITLES, METRIC_HEADERS
from compare.runs.records import Run
from tests.compare.make_runs import block, build_run, failure, record, simulate

EVIL = "<img src=x onerror=alert(1)>"


def crossing(rounds: int = 30) -> Run:
    """Return a run in which "early" starts first and "quick" finishes first."""
    entries = []
    for number in range(rounds):
        for target, first, gap in (("early", 0.1, 0.05), ("quick", 0.2, 0.01)):
            moments = [(first + place * gap) * (1 + 0.01 * (number % 3)) for place in range(8)]
            entries.append(record(*moments, target=target, block=number, tokens=8))
    entries += [block(30.0, target=target) for target in ("early", "quick")]
    return build_run(*entries, targets=("early", "quick"), requests=rounds)


def test_a_headline_says_who_starts_and_who_finishes_sooner() -> None:
    assert headline(Report(crossing())) == (
        "quick starts 2.0× later than early but is 1.7× faster to the end; 30 requests each, 95% sure."
    )


def test_a_headline_of_one_faster_target() -> None:
    run = simulate({"a": 1.0, "b": 2.0}, rounds=30, noise=0.02)
    assert headline(Report(run)) == (
        "a starts 2.0× sooner than b and is 2.0× faster to the end; 60 requests each, 95% sure."
    )


def test_a_headline_is_honest_about_too_few_requests() -> None:
    run = simulate({"a": 1.0, "b": 1.05}, rounds=6, noise=0.3)
    assert re.fullmatch(
        r"No difference shown; 12 requests each are too few(: a difference of 5% takes about [\d,]+)?\.",
        headline(Report(run)),
    )
    tiny = simulate({"a": 1.0, "b": 3.0}, rounds=1)
    assert headline(Report(tiny)) == "No difference shown; 2 requests each are too few."


def test_a_headline_denies_no_difference_in_cost() -> None:
    run = simulate({"a": 1.0, "b": 1.05}, rounds=6, noise=0.3)
    prices = {"a": Hourly("small", 1.0, "a bill"), "b": Hourly("large", 50.0, "a bill")}
    assert headline(Report(run, prices=prices)).startswith(
        "No difference to the first token or to the end shown; 12 requests each are too few"
    )


def test_a_headline_of_equal_targets() -> None:
    run = simulate({"a": 1.0, "b": 1.0}, rounds=30, noise=0.001)
    assert headline(Report(run)) == "a and b are equally fast; 60 requests each, 95% sure."


def test_a_headline_of_three_targets() -> None:
    run = simulate({"a": 1.0, "b": 2.0, "c": 4.0}, rounds=30, noise=0.02)
    text = headline(Report(run))
    assert text.startswith("a is the fastest to the end, 2.0× to 4.0× ahead; a starts first, 2.0× to 4.0× ahead; 60 ")
    level = simulate({"a": 1.0, "b": 1.0, "c": 4.0}, rounds=30, noise=0.05)
    assert headline(Report(level)).startswith("a and b are the fastest to the end, without a clear difference")


def test_a_headline_names_failures_and_targets_without_an_answer() -> None:
    run = simulate({"a": 1.0, "b": 2.0}, rounds=30, noise=0.02)
    run.records += [failure("Overloaded", target="b", block=3)] * 6
    assert headline(Report(run)).endswith("; 60 to 66 requests each, 95% sure. b failed 6 of 66 requests.")
    silent = build_run(*[record(0.1, tokens=2)] * 4, *[failure(target="b")] * 4, block(1.0), targets=("a", "b"))
    assert headline(Report(silent)) == "b answered no request, so there is nothing to compare."
    assert headline(Report(build_run(failure(), failure(target="b")))).startswith("No request succeeded")


def test_a_headline_names_the_load_and_those_that_contradict_it() -> None:
    run, other = simulate({"a": 1.0, "b": 2.0}, rounds=30, noise=0.02), simulate({"a": 4.0, "b": 1.0}, rounds=30)
    run.header["loads"].append("concurrency 2")
    run.records += [replace(each, load="concurrency 2") for each in other.records]
    run.blocks += [replace(each, load="concurrency 2") for each in other.blocks]
    text = headline(Report(run))
    assert "60 requests each at concurrency 1, 95% sure." in text
    assert "These figures are at concurrency 1. This run also has concurrency 2." in overview_html(Report(run))
    assert text.endswith("At concurrency 2 another target finishes first.")


def test_a_single_target_is_compared_with_the_earlier_run() -> None:
    now, before = simulate({"a": 1.0}, rounds=30, noise=0.02), simulate({"a": 2.0}, rounds=30, noise=0.02)
    assert headline(Report(now)).startswith("One target alone has no verdict")
    assert headline(Report(now, earlier=before)).startswith("a (this run) starts 2.0× sooner than a (earlier) and is")


def test_cards_have_the_four_figures_and_say_what_is_fastest_only_when_shown() -> None:
    machine = Hourly("machine", 3.6, "a bill")
    early, quick = make_cards(Report(crossing(), prices={"early": machine}))
    assert [figure.name for figure in early.figures] == ["First token", "Speed", "Cost", "Failed"]
    assert early.figures[0].text == "101 ms"
    assert early.figures[1].text == "19.8 tokens/s"
    assert early.figures[2].text.endswith("USD")
    assert quick.figures[2].detail == "no price entered"
    assert [figure.is_best for figure in early.figures] == [True, False, False, False]
    assert [figure.is_best for figure in quick.figures] == [False, True, False, False]
    unsure = simulate({"a": 1.0, "b": 1.02}, rounds=6, noise=0.3)
    assert not any(figure.is_best for card in make_cards(Report(unsure)) for figure in card.figures)


def test_the_summary_escapes_names_and_hides_notes_behind_their_number() -> None:
    run = simulate({EVIL: 1.0, "b": 2.0}, rounds=30, noise=0.02)
    run.ended = "stopped"
    text = overview_html(Report(run))
    assert "<img" not in text
    assert "1 note before you trust it" in text
    assert '<details class="sp-more"><summary>' in text


def test_every_header_with_a_term_is_explained() -> None:
    assert find_terms(["TTFT p95", "Inter-token latency", "price"]) == ["TTFT", "p95", "ITL"]
    assert {"TTFT", "ITL", "TPOT", "E2E", "p50", "p95", "goodput", "tokens/s"} <= set(find_terms(METRIC_HEADERS))
    assert explanation("TTFT p95").startswith("Time to first token:")
    assert explanation("price") == ""
    titles = ("GPU", "GPU memory", "GPU power", "Queue", "Queue wait")
    assert len({explanation(title) for title in titles}) == len(titles)
    assert term_html("price", "x") == "price"
    assert 'popovertarget="sp-tip-x"' in term_html("TTFT p50", "x")
    assert all(text.endswith(".") and len(text) < 130 for text in TERMS.values())
    assert "<dt>goodput</dt>" in glossary_html(METRIC_HEADERS)


def test_the_reports_explain_their_terms() -> None:
    report = Report(simulate({"a": 1.0, "b": 2.0}, rounds=20))
    assert "- goodput: The share of requests" in report_markdown(report)
    page = html(report)
    identifiers = re.findall(r' id="(sp-tip-[^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))
    assert set(identifiers) == set(re.findall(r' popovertarget="([^"]+)"', page))
    assert not find_terms(plain_names(page))


def plain_names(page: str) -> list[str]:
    """Return the names of columns that explain nothing: in the header, and in the cells where a row is a card."""
    names = re.findall(r'<th(?: class="sp-num")?>([^<]+)|data-label="([^"]+)"', page)
    return [name for pair in names for name in pair if name]


def test_terms_are_explained_where_a_phone_shows_no_headers() -> None:
    text = table(("target", "TTFT p95"), [["a", "1"], ["b", "2"]], key="x")
    assert text.count(' popovertarget="sp-tip-x-1"') == 3
    assert text.index("</table>") < text.index(' id="sp-tip-x-1"')  # the headers, and all in them, are hidden there
    assert plain_names(text) == ["target"] * 3
    rows = table(("", "n"), [["End to end", "3"]], key="y", row_terms=True)
    assert ' popovertarget="sp-tip-y-row-0"' in rows


def test_a_target_has_one_colour_everywhere() -> None:
    catalog = ["cloud", "laptop", "gpu"]
    assert target_colours(["gpu", "laptop"], catalog) == {"gpu": COLOURS[2], "laptop": COLOURS[1]}
    assert target_colours(["laptop"], catalog)["laptop"] == COLOURS[1]
    assert target_colours(["x", "cloud"], catalog) == {"cloud": COLOURS[0], "x": COLOURS[1]}
    assert len(set(target_colours([f"t{number}" for number in range(8)], catalog).values())) == 8
    report = Report(crossing(), catalog=["other", "quick", "early"])
    for figure in draw_charts(report).values():
        for trace in figure.data:
            if trace.name in report.colours:
                assert report.colours[trace.name] in (trace.line.color, trace.marker.color)
    assert [card.colour for card in make_cards(report)] == [COLOURS[2], COLOURS[1]]


def test_titles_are_outside_the_figures_and_their_toolbars() -> None:
    for name, figure in draw_charts(Report(crossing())).items():
        assert name in CHART_TITLES
        assert not figure.layout.title.text
        assert "lasso" in figure.layout.modebar.remove


def test_ratios_of_wide_intervals_are_written_out() -> None:
    """Of its own, Plotly would write "5" below the line of 0.5."""
    wide = draw_charts(Report(simulate({"a": 1.0, "b": 1.6}, noise=1.5, rounds=6)))["differences"].layout.xaxis
    assert dict(zip(wide.tickvals, wide.ticktext, strict=True))[0.5] == "0.5"
    narrow = draw_charts(Report(crossing()))["differences"].layout.xaxis
    assert narrow.tickvals is None


def test_a_wrong_price_leaves_the_rest_of_the_report() -> None:
    options = ReportOptions(prices=["early = cheap", "quick = 1.25/h", "nobody = 1/h"], alternatives=["no/model"])
    report = build_report(crossing(), None, options, Prices.load())
    assert list(report.prices) == ["quick"]
    messages = [error.message for error in report.price_errors]
    assert messages[0].startswith("'nobody = 1/h' isn't a price of a target")
    assert messages[1].startswith("early: There is no price 'cheap'")
    assert "no/model" in messages[2]
    assert draw_charts(report)


@pytest.mark.parametrize("term", ["TTFT", "goodput"])
def test_a_popover_is_closed_until_it_is_asked_for(term: str) -> None:
    assert " popover>" in term_html(term, "x")
