"""Runs over questions: prompts and scores come from another program, and answers are kept until they are scored."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends import Catalog
from backends.streams import closing
from compare import quality_commands
from compare.__main__ import main
from compare.analyse.quality.differing_questions import differing_questions
from compare.errors import RunError, WorkloadError
from compare.interactive.service import ENDING_SECONDS, ComparisonService
from compare.interactive.shared_runs import SharedRuns, without_texts
from compare.measure.background import BackgroundRun
from compare.measure.measurement import Progress
from compare.measure.request import MAX_ANSWER_CHARACTERS, storable
from compare.measure.workloads.workload import load
from compare.quality_commands import add_scores, make_workload, score_run
from compare.rag_process import check_rag
from compare.report.report import Report
from compare.runs import run_file
from compare.runs.records import Question, Run, Score
from tests.compare import fake_rag
from tests.compare.make_runs import build_run, record
from tests.compare.servers import Models
from tests.helpers.servers import wait_until
from ui.admission.fair_queue import Caller

FAKE_RAG = (sys.executable, fake_rag.__file__)
QUESTIONS = [
    {"question": "What is the third word?", "answers": ["word2"]},
    {"question": "And the hundredth?", "answers": ["word99"]},
    {"question": "Who wrote it?", "answerable": False},
    {"question": "Is it good?"},
]


def save(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def measure(models: Models, folder: Path, *more: str) -> tuple[int, Path]:
    out, catalog = folder / "run.jsonl", models.catalog(folder, "steady", "slow")
    command = ["run", "--targets", "steady,slow", "--catalog", str(catalog), "--out", str(out), "--warmup", "0"]
    return main([*command, *more]), out


def question_run(answers: dict[str, list[str]], questions: list[dict[str, Any]] = QUESTIONS) -> Run:
    """Return a run without scores, in which each target answers each question once."""
    entries = [
        replace(record(0.1, 0.2, target=target), prompt=number, answer=text)
        for number in range(len(questions))
        for target, texts in answers.items()
        for text in [texts[number]]
    ]
    run = build_run(*entries, targets=tuple(answers), requests=len(questions))
    workload = [fake_rag.workload_line(number, question) for number, question in enumerate(questions, 1)]
    names = ("id", "text", "answers", "answerable")
    run.header["workload"] |= {
        "prompts": len(questions),
        "questions": [{name: line["question"][name] for name in names} for line in workload],
    }
    return run


def workload_file(folder: Path, questions: list[dict[str, Any]] = QUESTIONS) -> Path:
    make_workload(save(folder, *questions), ["--documents", str(folder)], folder / "workload.jsonl", FAKE_RAG)
    return folder / "workload.jsonl"


@pytest.mark.usefixtures("as_rag")
def test_questions_are_measured_and_scored(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = save(tmp_path, *QUESTIONS)
    status, out = measure(models, tmp_path, "--questions", str(questions), "--documents", str(tmp_path))
    assert status == 0
    assert "Scoring the answers" in capsys.readouterr().err
    run = run_file.read(out)
    assert len(run.measured("steady")) == 40  # each question ten times
    assert run.questions[0] == Question("1", "What is the third word?", ("word2",), None)
    assert {each.answer for each in run.measured("slow")} == {"".join(f"word{number} " for number in range(8))}
    assert len(run.scores) == 80
    assert {run.records[number].prompt: score.correct for number, score in run.scores.items()} == {
        0: True, 1: False, 2: False, 3: None,
    }  # fmt: skip
    sent = [body["messages"][0]["content"] for body in models.requests["steady"]]
    assert all(text.startswith("[") for text in sent)
    assert len(set(sent)) == len(sent)


@pytest.mark.usefixtures("as_rag")
def test_a_workload_with_questions_works_alike(models: Models, tmp_path: Path) -> None:
    workload = workload_file(tmp_path)
    status, out = measure(models, tmp_path, "--workload", str(workload), "--requests", "4", "--progress", "none")
    assert status == 0
    assert len(run_file.read(out).scores) == 8


@pytest.mark.usefixtures("as_rag")
def test_the_answers_of_several_clients_are_scored_once(models: Models, tmp_path: Path) -> None:
    asked = ["--questions", str(save(tmp_path, *QUESTIONS)), "--documents", str(tmp_path), "--requests", "4"]
    status, out = measure(models, tmp_path, *asked, "--clients", "2", "--concurrency", "2", "--progress", "none")
    assert status == 0
    run = run_file.read(out)
    assert (len(run.scores), run.ended, run.lost_clients) == (8, "finished", [])
    assert {run.records[number].prompt: score.correct for number, score in run.scores.items()}[0] is True


def test_a_workload_without_questions_keeps_no_answers(models: Models, tmp_path: Path) -> None:
    _, out = measure(models, tmp_path, "--requests", "1", "--progress", "none")
    assert '"answer":' not in out.read_text()
    assert "questions" not in run_file.read(out).header["workload"]


@pytest.mark.usefixtures("as_rag")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--questions", "{questions}"], "The questions have no documents."),
        (["--documents", "."], "--documents and --library need --questions."),
        (["--questions", "{questions}", "--documents", ".", "--workload", "short"], "either questions or a workload"),
        (["--questions", "{failing}", "--documents", "."], "There is no document.\n  Name a folder."),
        (["--questions", "{questions}", "--documents", ".", "--concurrency", "0"], "Can't measure concurrency 0"),
    ],
)
def test_what_cannot_be_asked_is_reported_before_anything_is_sent(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    paths = {"questions": str(save(tmp_path, *QUESTIONS))}
    (tmp_path / "more").mkdir()
    paths["failing"] = str(save(tmp_path / "more", {"question": "Which errors are there?"}))
    status, out = measure(models, tmp_path, *(argument.format(**paths) for argument in arguments))
    assert status == 1
    assert message in capsys.readouterr().err
    assert not models.requests
    assert not out.exists()


def test_without_rag_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = workload_file(tmp_path)
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rag" else real(name))
    with pytest.raises(WorkloadError, match="need the package `rag`") as caught:
        score_run(question_run({"a": ["x"] * 4}), workload, FAKE_RAG)
    assert "checkout" in caught.value.remedy
    with pytest.raises(WorkloadError, match="need the package `rag`"):
        check_rag()


def test_equal_answers_are_scored_once_and_failed_ones_not_at_all(tmp_path: Path) -> None:
    run = question_run({"a": ["word2", "word1", "I don't answer that.", "yes"], "b": ["word2", "word99", "him", "no"]})
    run.records[7] = replace(run.records[7], arrivals=())
    scores = {score.request: score.correct for score in score_run(run, workload_file(tmp_path), FAKE_RAG)}
    assert scores == {0: True, 1: True, 2: False, 3: True, 4: True, 5: False, 6: None}


def test_a_scorer_that_writes_something_else_is_an_error(tmp_path: Path) -> None:
    run_file.write(question_run({"a": ["x"] * 4}), path := tmp_path / "run.jsonl")
    for program in ("print('x')", "print('[]')", "", 'print(\'{"id": "1"}\')'):
        (tmp_path / "other.py").write_text(program)
        with pytest.raises(WorkloadError, match="wrote a wrong line"):
            add_scores(path, workload_file(tmp_path), (sys.executable, str(tmp_path / "other.py")))
    assert not run_file.read(path).scores


def test_scores_are_stored_and_read_back(tmp_path: Path) -> None:
    run_file.write(question_run({"a": ["word2", "”\u2028", "I don't answer that.", "yes"]}), path := tmp_path / "run")
    add_scores(path, workload_file(tmp_path), FAKE_RAG)
    run = run_file.read(path)
    assert run.scores[0] == Score(0, True, 0.5, False, None, 1, "it holds 5 characters")
    assert (run.scores[2].correct, run.scores[2].supported, run.scores[2].refused) == (True, None, True)
    run_file.write(run, again := tmp_path / "again")
    assert run_file.read(again).scores == run.scores
    assert [each.answer for each in run_file.read(again).records] == [each.answer for each in run.records]


@pytest.mark.usefixtures("as_rag")
def test_a_stored_run_is_scored_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workload, path = workload_file(tmp_path), tmp_path / "run.jsonl"
    run = question_run({"a": ["word2", "x", "him", "yes"]})
    run.header["workload"]["hash"] = load(workload).hash
    run_file.write(run, path)
    for _ in range(2):
        assert main(["score", str(path), "--workload", str(workload)]) == 0
        assert "4 answers are scored." in capsys.readouterr().out
    assert [score.correct for score in run_file.read(path).scores.values()] == [True, False, False, None]


@pytest.mark.parametrize(
    ("removed", "tail", "records"),
    [
        (0, "", 4),
        (1, "", 4),
        (20, "", 3),
        (0, '{"type":"req', 4),
        (0, '{"type":"request","answer":"' + "x" * 200_000, 4),
    ],
    ids=["whole", "no newline", "half an answer", "half a line", "half a long line"],
)
def test_scores_follow_a_line_that_a_crash_cut_off(tmp_path: Path, removed: int, tail: str, records: int) -> None:
    run = question_run({"a": ["word2", "x", "him", "yes"]})
    run.ended = ""
    content = run_file.text(run)
    (path := tmp_path / "run.jsonl").write_text(content[: len(content) - removed] + tail)
    for _ in range(2):
        add_scores(path, workload_file(tmp_path), FAKE_RAG)
        read = run_file.read(path)
        assert (len(read.records), len(read.scores)) == (records, records)


@pytest.mark.usefixtures("as_rag")
def test_what_cannot_be_scored_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workload, path = workload_file(tmp_path), tmp_path / "run.jsonl"
    run_file.write(question_run({"a": ["x"] * 4}), path)
    assert main(["score", str(path), "--workload", str(workload)]) == 1
    assert "run.jsonl asked something else than workload.jsonl." in capsys.readouterr().err
    run_file.write(build_run(record(0.1)), path)
    assert main(["score", str(path), "--workload", str(workload)]) == 1
    assert "run.jsonl has no answers to score." in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [{"request": 4}, {"request": -1}, {"request": None}, {"supported": 1.5}, {"correct": "maybe"}, {"more": 1}],
    ids=str,
)
def test_a_damaged_score_names_its_line(change: dict[str, Any]) -> None:
    run = question_run({"a": ["x"] * 4})
    line = {"type": "score", "request": 0, "correct": None, "supported": None, "refused": False, "well_formed": None,
            "words": 1, "reason": ""}  # fmt: skip
    lines = [*run_file.lines(run), json.dumps(line | change), json.dumps(line)]
    with pytest.raises(RunError, match="Line 7 of run is damaged"):
        run_file.parse(lines, "run")


@pytest.mark.parametrize(("count", "problem"), [(3, "there are 3 questions for 4 prompts"), (10_001, "questions")])
def test_a_run_has_a_question_for_each_prompt(count: int, problem: str) -> None:
    run = question_run({"a": ["x"] * 4})
    run.header["workload"]["questions"] = run.header["workload"]["questions"][:1] * count
    with pytest.raises(RunError, match=f"first line of run is damaged: {problem}"):
        run_file.parse(run_file.lines(run), "run")


def test_a_shared_run_has_the_marks_without_the_texts(tmp_path: Path) -> None:
    run_file.write(question_run({"a": ["word2", "secret", "him", "yes"]}), path := tmp_path / "run.jsonl")
    add_scores(path, workload_file(tmp_path), FAKE_RAG)
    run, shared = run_file.read(path), SharedRuns(tmp_path / "shared")
    text = shared.find(shared.share(run)).read_text()
    assert not any(word in text for word in ("third word", "word99", "secret", "characters"))
    read = run_file.parse(text.splitlines(), "shared")
    assert [score.correct for score in read.scores.values()] == [True, False, False, None]
    assert [question.answerable for question in read.questions] == [True, True, False, None]
    assert without_texts(read).header == read.header
    assert "secret" in shared.find(shared.share(run, with_texts=True)).read_text()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": ""}, "a text of the question is ''"),
        ({"id": True}, "a text of the question is True"),
        ({"text": None}, "a text of the question is None"),
        ({"answers": "4,648"}, "answers are '4,648'"),
        ({"answers": [4648]}, "a text of the question is 4648"),
        ({"answers": ["\ud83d"]}, "surrogates not allowed"),
        ({"answerable": "no"}, "answerable 'no'"),
        ({"id": "x" * 201}, "the question has the id"),
    ],
    ids=str,
)
def test_a_question_with_wrong_types_names_its_line(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    line = fake_rag.workload_line(1, QUESTIONS[0])
    line["question"] |= change
    with pytest.raises(WorkloadError, match=r"Line 1 of questions\.jsonl isn't a prompt") as caught:
        load(save(tmp_path, line))
    assert problem in caught.value.message


def test_questions_need_ids_of_their_own_and_no_other_prompts(tmp_path: Path) -> None:
    line = fake_rag.workload_line(1, QUESTIONS[0])
    with pytest.raises(WorkloadError, match=r"Two questions of questions\.jsonl have the id '1'"):
        load(save(tmp_path, line, line))
    with pytest.raises(WorkloadError, match=r"1 prompts of questions\.jsonl have no question, and 1 have one"):
        load(save(tmp_path, line, {"prompt": "Why?"}))


@pytest.mark.usefixtures("as_rag")
async def test_a_visitor_who_leaves_ends_the_process_that_scores(models: Models, tmp_path: Path) -> None:
    workload, started = workload_file(tmp_path), tmp_path / "started"
    program = tmp_path / "path" / "rag" / "__main__.py"
    program.write_text(
        f"import os, pathlib, time\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    )
    catalog = models.catalog(tmp_path, "steady")
    arguments = ["--targets=steady", f"--catalog={catalog}", f"--workload={workload}", "--requests=1", "--warmup=0"]
    progress = BackgroundRun(arguments, tmp_path / "run.jsonl").run()
    waiting = asyncio.create_task(_drain(progress))
    await asyncio.to_thread(wait_until, lambda: started.exists() and bool(started.read_text()))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    wait_until(lambda: not Path(f"/proc/{started.read_text()}/exe").exists())


async def _drain(progress: AsyncIterator[Any]) -> None:
    async with closing(progress):
        async for _ in progress:
            pass


@pytest.mark.usefixtures("as_rag")
async def test_a_measurement_is_kept_if_its_scores_take_too_long(models: Models, tmp_path: Path) -> None:
    workload, catalog = workload_file(tmp_path), models.catalog(tmp_path, "steady")
    (tmp_path / "path" / "rag" / "__main__.py").write_text("import time\ntime.sleep(600)")
    service = ComparisonService(Catalog.load(catalog), tmp_path)
    visitor = service.visitors.get("one")
    arguments = ["--targets=steady", f"--catalog={catalog}", f"--workload={workload}", "--requests=1", "--warmup=0"]
    seconds = 12 - ENDING_SECONDS
    events = [each async for each in service.measure(Caller("one", "1.2.3.4"), visitor, arguments, "mine", seconds)]
    assert events[-1] == "mine"
    assert all(isinstance(each, Progress) for each in events[:-1])
    run = service.load_run(visitor, "mine")
    assert (run.ended, len(run.measured("steady")), run.scores) == ("finished", 1, {})
    assert any("To score them: python -m compare score" in text for text in Report(run).caveats)


def test_a_scorer_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hangs.py").write_text("import time\ntime.sleep(60)")
    monkeypatch.setattr(quality_commands, "SECONDS_TO_START", 0.5)
    monkeypatch.setattr(quality_commands, "SECONDS_PER_ANSWER", 0)
    with pytest.raises(WorkloadError, match=r"not scored within 0\.5 s"):
        score_run(question_run({"a": ["x"] * 4}), tmp_path, (sys.executable, str(tmp_path / "hangs.py")))


def test_an_id_can_be_a_number(tmp_path: Path) -> None:
    line = fake_rag.workload_line(1, QUESTIONS[0])
    line["question"]["id"] = 7
    assert load(save(tmp_path, line)).questions[0].id == "7"


def test_the_real_rag_makes_the_prompts_and_scores_the_answers(models: Models, tmp_path: Path) -> None:
    """A good model answers with the figure of the document; a poor one gives another, and doesn't refuse."""
    (tmp_path / "report.md").write_text(
        "# Acme\n\nRevenue was $4,648 million in 2023. Acme opened a plant in Ghent in May.\n"
    )
    questions = [
        {"id": 1, "question": "What was the revenue of Acme in 2023?", "answers": ["$4.648 billion"]},
        {"id": "plant", "question": "Where did Acme open a plant?", "answers": ["Ghent"]},
        {"id": "boss", "question": "Who leads Acme?", "answerable": False},
    ]
    models.replies = {
        "steady": ["Revenue was $4,648 million in 2023.", "In Ghent.", "The document does not say who leads Acme."],
        "slow": ["Revenue was $5,100 million in 2023.", "In Ghent.", "Ann Smith leads Acme."],
    }
    models.asked = [str(question["question"]) for question in questions]
    sources = ["--questions", str(save(tmp_path, *questions)), "--documents", str(tmp_path / "report.md")]
    status, out = measure(models, tmp_path, *sources, "--requests", "3", "--progress", "none")
    assert status == 0
    run = run_file.read(out)
    correct = {(run.records[at].target, run.records[at].prompt): score.correct for at, score in run.scores.items()}
    assert [correct["steady", at] for at in range(3)] == [True, True, True]
    assert [correct["slow", at] for at in range(3)] == [False, True, False]
    assert [each["messages"][-1]["content"] for each in models.requests["steady"]][1:] == [
        each["messages"][-1]["content"] for each in models.requests["slow"]
    ][1:]  # the very same passages; the nonce is in the first message
    differing = differing_questions(run)
    assert [each.question.id for each in differing] == ["1", "boss"]
    assert "Ann Smith" in (differing[1].answers["slow"].text or "")


def test_an_answer_is_cut_and_always_storable() -> None:
    assert len(storable("x" * (MAX_ANSWER_CHARACTERS + 1))) == MAX_ANSWER_CHARACTERS
    assert storable("half \ud83d") == "half ?"
