"""The quality of answers in the report: the headline, the tables, JSON, HTML and Markdown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compare.__main__ import main
from compare.analyse.caveats import find_caveats
from compare.analyse.costs.prices import Hourly
from compare.analyse.quality.paired import share
from compare.interactive.shared_runs import without_texts
from compare.report.charts.charts import draw_charts
from compare.report.charts.quality_chart import Point, pareto_front
from compare.report.files.export import report_json, report_markdown
from compare.report.files.html_report import html
from compare.report.files.requests_csv import requests_csv
from compare.report.files.rows import report_rows
from compare.report.overview.cards import make_cards, overview_html
from compare.report.overview.headline import headline
from compare.report.report import Report
from compare.report.views.quality_view import quality_html
from compare.report.words import quality_text
from compare.report.words.caveat_text import caveat_text
from compare.runs import run_file
from compare.runs.records import Run
from tests.compare.make_runs import simulate
from tests.compare.make_scores import Mark, scored_run, with_questions

PRICES = {"a": Hourly("one", 1.0, "a bill"), "b": Hourly("two", 2.0, "a bill")}
EVIL = "<img src=x onerror=alert(1)>"


def run_of(questions: int, rounds: int = 60, wrong: dict[str, range] | None = None, slow: float = 2.0) -> Run:
    return with_questions(simulate({"a": 1.0, "b": slow}, rounds=rounds, noise=0.02), questions, wrong)


def three(questions: int, wrong: dict[str, range]) -> str:
    run = with_questions(simulate({"a": 1.0, "b": 2.0, "c": 4.0}, rounds=questions, noise=0.02), questions, wrong)
    return headline(Report(run))


def test_a_headline_of_targets_that_are_as_good() -> None:
    run = run_of(200, rounds=100)
    assert headline(Report(run)) == (
        "a answers as many questions right as b (within 5 points), starts 2.0× sooner than b and is 2.0× faster to the "
        "end; 200 questions, 200 requests each, 95% sure."
    )
    assert headline(Report(run_of(200, rounds=100, slow=0.5))).startswith("b answers as many questions right as a (")
    narrow = headline(Report(run, margin=0.01))
    assert "; no difference in right answers shown (a 100%, b 100%; for 1 point, ask about" in narrow
    assert headline(Report(run, prices=PRICES)).endswith("1,000 questions cost 0.047 USD on a and 0.19 USD on b.")


def test_a_headline_of_a_better_target() -> None:
    assert headline(Report(run_of(120, wrong={"b": range(60)}))).startswith(
        "a answers more questions right than b, by 50 points (38 to 62), starts 2.0× sooner than b"
    )
    slower = headline(Report(run_of(120, wrong={"a": range(60)})))
    assert slower.startswith("b answers more questions right than a, by 50 points (38 to 62); a starts 2.0× sooner")


def test_a_headline_is_honest_about_a_dozen_questions() -> None:
    text = headline(Report(run_of(12, wrong={"b": range(1)})))
    assert "no difference in right answers shown (a 100%, b 92%; for 5 points, ask about" in text
    assert "12 questions, 120 requests each, 95% sure." in text
    tiny = headline(Report(run_of(2, rounds=1)))
    assert tiny.startswith("No difference in right answers shown")
    assert "No difference in times shown; 2 requests each are too few." in tiny


def test_a_headline_without_gold_answers_says_so() -> None:
    run = run_of(12)
    run.scores = {number: replace(score, correct=None) for number, score in run.scores.items()}
    assert "no question has a right answer to compare with, so right answers were not judged" in headline(Report(run))
    assert [each.kind for each in find_caveats(run)][:1] == ["no gold"]
    assert caveat_text(find_caveats(run)[0]).startswith("No question has a right answer to compare with")
    assert report_json(Report(run))["quality"]["coverage"] == {"questions": 12, "answered": 12, "judged": 0}


def test_a_headline_of_three_targets() -> None:
    assert three(120, {"b": range(60), "c": range(60)}).startswith("a answers the most questions right; a is the")
    assert "; b and c answer fewer questions right than others; " not in three(120, {"c": range(60)})
    assert "c answers fewer questions right than others" in three(120, {"c": range(60)})
    assert "all answer as many questions right (within 5 points)" in three(250, {})
    assert "no difference in right answers shown" in three(12, {})


def test_a_headline_of_one_target() -> None:
    run = with_questions(simulate({"a": 1.0}), 12, {"a": range(1)})
    assert headline(Report(run)).startswith("a answers 92% of 12 questions right (62% to 100%, 95% sure). One target")


def test_a_card_has_the_share_of_right_answers() -> None:
    report = Report(run_of(120, wrong={"b": range(60)}))
    one, other = (card.figures[0] for card in make_cards(report))
    assert (one.text, one.detail, one.is_best) == ("100%", "of 120 questions, 97% to 100%", True)
    assert (other.text, other.is_best) == ("50%", False)
    assert "Right answers" in overview_html(report)
    assert "Right answers" not in overview_html(Report(simulate({"a": 1.0, "b": 2.0})))


def test_the_shares_have_intervals_and_costs() -> None:
    rows = quality_text.share_rows(Report(run_of(12, wrong={"b": range(6)}), prices=PRICES))
    assert rows[0][:6] == ["a", "12", "100% (74 to 100)", "100% (74 to 100)", "0% (0 to 26)", "–"]
    assert rows[0][6] == rows[0][7]
    assert float(rows[1][7]) == pytest.approx(2 * float(rows[1][6]), rel=0.1)  # half of them are right


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (("-", "+"), "b answers more questions right than a, by 100 points (68 to 100)"),
        (("refused", "+"), "b wrongly refuses fewer questions than a, by 100 points (71 to 100)"),
        (("+", "+"), "a and b show no clear difference in right answers (-16 to +16 points)"),
    ],
)
def test_verdicts_in_words(answers: tuple[Mark, Mark], text: str) -> None:
    run = scored_run({"a": [[answers[0]]] * 30, "b": [[answers[1]]] * 30})
    assert text in quality_text.verdict_lines(Report(run))


def test_how_many_questions_would_decide() -> None:
    assert "ask about" in quality_text.verdict_lines(Report(run_of(12)))[-1]
    assert quality_text.verdict_lines(Report(run_of(12)))[-1].endswith("This run had 12.")
    assert quality_text.verdict_lines(Report(run_of(120), margin=0.3))[-1].endswith("This run had enough.")


def test_questions_where_targets_differ_have_both_answers_marks_and_reasons() -> None:
    run = scored_run({"a": [["+"], ["-", "+", "-"], ["+"], ["failed"]], "b": [["+"], ["+"] * 3, ["refused"], ["+"]]})
    run.header["workload"]["questions"][2] |= {"answers": ["42", "forty-two"]}
    assert quality_text.differing_headers(Report(run)) == ("question", "right answer", "a", "b")
    assert quality_text.differing_rows(Report(run)) == [
        ["Question 1?", "–", "right 1 of 3 times: a says - to 1 (because of -)",
         "right 3 of 3 times: b says + to 1 (because of +)"],
        ["Question 2?", "42 or forty-two", "right: a says + to 2 (because of +)",
         "wrong, refused: b says refused to 2 (because of refused)"],
        ["Question 3?", "–", "failed", "right: b says + to 3 (because of +)"],
    ]  # fmt: skip
    assert quality_text.differing_note(Report(run)) == ""


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ({"a": [["+"]], "b": [["+"]]}, "All targets got the same marks for the question that was judged."),
        (
            {"a": [["+"], ["?"], ["-"]], "b": [["+"], ["+"], ["-"]]},
            "All targets got the same marks for the 2 questions that were judged.",
        ),
        ({"a": [["?"]], "b": [["?"]]}, ""),
        ({"a": [["+"]]}, ""),
    ],
    ids=["one", "two of three", "nobody judged", "one target"],
)
def test_targets_got_the_same_marks_only_if_somebody_gave_any(answers: dict[str, list[list[Mark]]], text: str) -> None:
    report = Report(scored_run(answers))
    assert quality_text.differing_note(report) == text
    for page in (quality_html(report), report_markdown(report)):
        assert ("Questions where targets differ" in page) is bool(text)
        assert text in page


def test_a_shared_run_shows_marks_without_texts() -> None:
    run = scored_run({"a": [["+"], ["-"]], "b": [["+"], ["refused right"]]}, answerable=[True, False])
    rows = quality_text.differing_rows(Report(without_texts(run)))
    assert rows == [["question 2", "a refusal", "wrong", "right, refused"]]


def test_a_long_table_is_cut_and_says_so() -> None:
    report = Report(scored_run({"a": [["+"]] * 120, "b": [["-"]] * 120}))
    assert len(quality_text.differing_rows(report)) == 100
    assert "first 100 of 120" in quality_html(report)
    assert len(report_json(report)["quality"]["differing"]) == 120
    run = scored_run({"a": [["+"]], "b": [["-"]]})
    run.records[0] = replace(run.records[0], answer="long\n" * 1000)
    assert 0 < len(quality_text.differing_rows(Report(run))[0][2]) - quality_text.MAX_CHARACTERS < 50


def test_the_json_has_shares_verdicts_and_differing_questions() -> None:
    report = Report(run_of(12, wrong={"b": range(6)}))
    quality = json.loads(json.dumps(report_json(report), allow_nan=False))["quality"]
    assert quality["targets"]["a"]["right"] == {
        "value": 1.0, "low": pytest.approx(0.735, abs=1e-3), "high": 1.0, "questions": 12,
    }  # fmt: skip
    right = quality["verdicts"][0]
    assert (right["measure"], right["finding"], right["better"]) == ("right", "not distinguishable", "a")
    assert right["difference"]["value"] == 0.5
    assert quality["differing"][0]["targets"]["b"]["score"]["reason"] == "because of -"
    assert report_json(Report(simulate({"a": 1.0})))["quality"] is None


def test_the_page_escapes_questions_answers_and_reasons() -> None:
    run = scored_run({"a": [["+"]], "b": [["-"]]})
    run.header["workload"]["questions"][0] |= {"text": f"Q {EVIL}", "answers": [f"G {EVIL}"]}
    run.records[0] = replace(run.records[0], answer=f"A {EVIL}")
    run.scores[1] = replace(run.scores[1], reason=f"R {EVIL}")
    page = html(Report(run))
    for letter in "QGAR":
        assert f"{letter} &lt;img" in page
    assert EVIL not in page
    assert EVIL not in report_markdown(Report(run))
    assert page.count("<section>") == 7


def test_markdown_has_the_shares_and_the_differing_questions() -> None:
    text = report_markdown(Report(run_of(12, wrong={"b": range(6)})))
    assert "| a      | 12        | 100% (74 to 100) |" in text
    assert "Questions where targets differ:" in text
    assert "- supported: The share of an answer's sentences" in text
    assert "| Question 5? " in text
    assert "Questions where" not in report_markdown(Report(simulate({"a": 1.0, "b": 2.0})))


def test_rows_and_csv_have_the_marks() -> None:
    report = Report(run_of(12, wrong={"b": range(6)}))
    assert [(row["questions"], row["right_share"]) for row in report_rows(report)] == [(12, 1.0), (12, 0.5)]
    assert requests_csv(report.run).splitlines()[1].endswith(",True,1.0,False,,5")


def test_caveats_about_questions() -> None:
    run = scored_run({"a": [["+", "-"], ["+", "+"], ["?"]], "b": [["+"], ["+"], ["?"]]})
    texts = [caveat_text(each) for each in find_caveats(run)]
    assert any(text.startswith("1 of 3 questions have no right answer") for text in texts)
    assert any(text.startswith("a: 1 of 2 questions that were asked again got different answers") for text in texts)
    warm = scored_run({"a": [["+", "-"]]}, temperature=0.7)
    assert not [each for each in find_caveats(warm) if each.kind == "answers vary"]
    assert [each.kind for each in find_caveats(without_texts(run)) if each.kind == "answers vary"]
    run.header["workload"]["questions"] += [run.header["workload"]["questions"][0]] * 7
    assert "Only 3 of 10 questions were asked and answered." in map(caveat_text, find_caveats(run))
    run.scores = {}
    assert any(text.startswith("The answers have no scores") for text in map(caveat_text, find_caveats(run)))


def test_a_run_is_compared_with_an_earlier_one_question_by_question() -> None:
    now, before = run_of(120, wrong={"b": range(60)}), run_of(120)
    changes = {each.better for each in Report(now, earlier=before).quality_changes if each.difference.is_shown}
    assert changes == {"b (earlier)"}


def test_the_command_takes_a_margin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_file.write(run_of(200, rounds=100), path := tmp_path / "run.jsonl")
    assert main(["report", str(path)]) == 0
    assert "within 5 points" in capsys.readouterr().out
    assert main(["report", str(path), "--margin", "10"]) == 0
    assert "within 10 points" in capsys.readouterr().out
    assert main(["report", str(path), "--margin", "0"]) == 1
    assert "A margin of 0 points isn't possible." in capsys.readouterr().err


def test_the_picture_has_costs_intervals_and_bubbles() -> None:
    report = Report(run_of(12, wrong={"a": range(6)}), prices=PRICES)
    figure = draw_charts(report)["quality"]
    line, one, other = figure.data
    assert (line.mode, list(line.y)) == ("lines", [0.5, 1.0])  # a is cheaper, b is better
    assert one.error_y.array[0] == pytest.approx(0.789 - 0.5, abs=1e-3)
    assert other.error_y.arrayminus[0] == pytest.approx(1 - 0.735, abs=1e-3)
    assert one.marker.size < other.marker.size  # b is twice as slow
    assert figure.layout.xaxis.title.text == "USD per 1,000 questions"
    assert one.x[0] < other.x[0]


def test_without_all_prices_the_picture_shows_times() -> None:
    report = Report(run_of(12), prices={"a": PRICES["a"]})
    figure = draw_charts(report)["quality"]
    assert figure.layout.xaxis.title.text == "median end-to-end time (ms)"
    assert [trace.name for trace in figure.data] == ["a", "b"]  # b is slower and no better: no line
    assert "quality" not in draw_charts(Report(simulate({"a": 1.0, "b": 2.0})))


def test_nobody_beats_a_target_on_the_front() -> None:
    points = [
        Point(name, cost, share([1.0] * right + [0.0] * (10 - right)), None)
        for name, cost, right in (("best", 3, 9), ("cheap", 1, 4), ("dear", 4, 8), ("same", 3, 9), ("worse", 2, 3))
    ]
    assert [point.target for point in pareto_front(points)] == ["cheap", "best"]
