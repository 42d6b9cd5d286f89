"""`python -m compare capacity` against servers with a known knee, on real sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compare.__main__ import main
from compare.capacity.read_capacities import read_capacities
from compare.errors import RunError
from compare.measure.workloads.workload import MAX_FILE_BYTES
from compare.runs import run_file
from tests.compare.servers import PLACES, Models

# A median needs a dozen requests to be clear. "queue" takes 60 ms to its first token, and with one user more than it
# has places 50 ms longer.
SLO = "ttft_p50<85ms"


def search(
    models: Models, folder: Path, *more: str, target: str, slo: str = SLO, users: str = "8"
) -> tuple[int, dict[str, Any], Path]:
    """Run a search; return its status, its JSON (empty if it wrote none) and the run file."""
    out, answer = folder / "search.jsonl", folder / "answer.json"
    catalog = models.catalog(folder, *target.split(","))
    load = [] if "--rate" in more else ["--users", users]
    arguments = ["--target", target, "--catalog", str(catalog), "--slo", slo, *load, "--progress", "none", *more]
    status = main(["capacity", *arguments, "--out", str(out), "--json", str(answer)])
    return status, json.loads(answer.read_text()) if answer.exists() else {}, out


def test_the_knee_of_a_server_is_found(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer, out = search(models, tmp_path, target="queue")
    assert status == 0
    queue = answer["targets"]["queue"]
    assert (queue["low"], queue["holds"], queue["high"], queue["missed_at"]) == (PLACES, PLACES, PLACES, PLACES + 1)
    assert queue["limited_by"] == [SLO]
    assert queue["reliability"] == "good"
    assert [load["value"] for load in queue["curve"]] == [1, 2, 3, 4]
    printed = capsys.readouterr().out
    assert printed.startswith(f"queue holds 3 users (3 to 3) at {SLO}; at 4 users the first token took ")
    assert models.max_in_flight["queue"] >= PLACES + 1

    assert main(["report", str(out), "--json", str(tmp_path / "report.json")]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["capacity"]["targets"] == answer["targets"]  # everything derives from the stored run
    assert report["headline"] == answer["text"]
    assert set(report["targets"]["queue"]["by_load"]) == {f"concurrency {users}" for users in (1, 2, 3, 4)}
    assert not [caveat for caveat in report["caveats"] if "in a row failed" in caveat]


def test_requests_that_only_keep_up_a_load_do_not_count(models: Models, tmp_path: Path) -> None:
    _, answer, out = search(models, tmp_path, target="steady", users="4")
    run = run_file.read(out)
    counted = {int(load["value"]): load["requests"] for load in answer["targets"]["steady"]["curve"]}
    assert {record.load for record in run.records} == {f"concurrency {value}" for value in counted}
    for value, requests in counted.items():
        records = [record for record in run.records if record.load == f"concurrency {value}"]
        assert sum(record.phase == "measured" for record in records) == requests
        blocks = {record.block for record in records if record.phase == "measured"}
        assert sum(record.phase != "measured" for record in records) >= value * len(blocks)  # the first of each user
    prompts = [body["messages"][0]["content"] for body in models.requests["steady"]]
    assert len(set(prompts)) == len(prompts)


def test_a_server_that_always_meets_it(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer, _ = search(models, tmp_path, target="steady", slo="ttft_p50<500ms", users="3")
    assert status == 0
    assert answer["targets"]["steady"]["at_limit"]
    assert "steady holds at least 3 users, the limit, at ttft_p50<500ms." in capsys.readouterr().out


def test_a_server_that_never_meets_it(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer, _ = search(models, tmp_path, target="slow", slo="ttft_p50<30ms")
    assert status == 0
    assert (answer["targets"]["slow"]["holds"], answer["targets"]["slow"]["high"]) == (0, 0)
    assert "slow doesn't hold 1 user at ttft_p50<30ms; at 1 user the first token took " in capsys.readouterr().out


def test_a_server_that_rejects_is_limited_by_its_errors(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer, _ = search(models, tmp_path, target="rejects", slo="ttft_p50<500ms, error<10%")
    assert status == 0
    rejects = answer["targets"]["rejects"]
    assert rejects["holds"] == PLACES
    assert rejects["limited_by"][0] == "error<10%"
    assert "of the requests failed" in capsys.readouterr().out


def test_a_server_that_dies(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer, out = search(models, tmp_path, target="dies")
    assert status == 4
    assert answer["targets"]["dies"]["reliability"] == "the target stopped answering"
    assert answer["targets"]["dies"]["holds"] is None  # its last failures say nothing about a load
    printed = capsys.readouterr().out
    assert "dies: no answer at ttft_p50<85ms." in printed
    assert "dies stopped answering at 1 user, and didn't answer again." in printed
    assert run_file.read(out).ended == "finished"


def test_a_server_that_becomes_slower(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer, _ = search(models, tmp_path, target="drifts", slo="ttft_p50<40ms", users="4")
    assert status == 4
    assert answer["targets"]["drifts"]["reliability"] == "the target changed"
    assert "The target changed during the search" in capsys.readouterr().out


def test_two_targets_take_turns(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer, out = search(models, tmp_path, target="queue,steady", users="4")
    assert status == 0
    assert {name: each["holds"] for name, each in answer["targets"].items()} == {"queue": 3, "steady": 4}
    assert "steady holds more than queue." in capsys.readouterr().out
    blocks = sorted(run_file.read(out).blocks, key=lambda block: block.started)
    assert [{block.target for block in blocks[at : at + 2]} for at in (0, 2, 4)] == [{"queue", "steady"}] * 3


def test_a_rate(models: Models, tmp_path: Path) -> None:
    """Batches of an open loop last 20 seconds, so the time runs out before the answer is clear."""
    status, answer, out = search(
        models, tmp_path, "--rate", "40", "--start", "40", "--max-seconds", "12", target="queue"
    )
    assert status == 4
    queue = answer["targets"]["queue"]
    assert queue["unit"] == "requests/s"
    assert queue["reliability"] == "the search didn't end"
    run = run_file.read(out)
    assert run.ended == "out of time"
    assert run.measured("queue")
    assert all(record.concurrency is None for record in run.measured("queue"))


def test_questions_of_a_workload_are_not_kept(models: Models, tmp_path: Path) -> None:
    workload = tmp_path / "questions.jsonl"
    lines = [
        json.dumps({"prompt": f"Question {number}?", "question": {"id": number, "text": "Why?", "answers": ["So."]}})
        for number in range(3)
    ]
    padding = " " * (MAX_FILE_BYTES + 1)  # larger than prompts may be, but not than questions
    workload.write_text("\n".join([*lines, padding]))
    search(models, tmp_path, "--workload", str(workload), target="steady", slo="ttft_p50<5s", users="1")
    run = run_file.read(out := tmp_path / "search.jsonl")
    assert run.header["workload"]["prompts"] == 3
    assert run.measured("steady")
    assert not run.questions
    assert '"answer":' not in out.read_text()


def ask_in_a_hurry(models: Models, folder: Path, questions: list[str], replies: list[str]) -> list[str]:
    """Let "hurries" know replies to questions, whose right answers are "word 0", "word 1"; return the arguments."""
    entries = [{"question": each, "answers": [f"word {number}"]} for number, each in enumerate(questions)]
    models.asked, models.replies = questions, {"hurries": replies}
    (path := folder / "questions.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in entries))
    return ["--questions", str(path), "--documents", "."]


@pytest.mark.usefixtures("as_rag")
def test_right_answers_limit_a_search(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [f"Question {number}?" for number in range(6)]
    replies = [f"It is word {number}" for number in range(5)] + ["No idea"]
    asked = ask_in_a_hurry(models, tmp_path, questions, replies)
    monkeypatch.chdir(tmp_path)
    status, answer, out = search(models, tmp_path, *asked, target="hurries", slo="e2e_p50<5s, quality>=0.8*baseline")
    assert status == 0
    found = answer["targets"]["hurries"]
    assert (found["holds"], found["limited_by"]) == (PLACES, ["quality>=0.8*baseline"])
    assert found["baseline"] == pytest.approx(5 / 6)
    assert "of the answers were right (baseline 83.3%)" in capsys.readouterr().out

    run = run_file.read(out)
    numbers = [number for number, record in enumerate(run.records) if record.phase == "measured"]
    assert sorted(run.scores) == numbers  # each request that counts has its score
    assert all(run.records[number].answer for number in numbers)
    assert read_capacities(run)[0].limited_by == read_capacities(run)[0].clauses[1:]
    assert main(["report", str(out), "--json", str(tmp_path / "report.json")]) == 0
    assert json.loads((tmp_path / "report.json").read_text())["capacity"]["targets"] == answer["targets"]


@pytest.mark.usefixtures("as_rag")
def test_a_search_ends_if_no_answer_is_right_at_the_first_load(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask_in_a_hurry(models, tmp_path, ["Why?"], ["No idea"])
    monkeypatch.chdir(tmp_path)
    status, answer, _ = search(models, tmp_path, *asked, target="hurries", slo="quality>=0.9*baseline")
    assert status == 4
    found = answer["targets"]["hurries"]
    assert (found["holds"], found["missed_at"], found["baseline"]) == (None, None, 0)
    assert [load["value"] for load in found["curve"]] == [1]
    assert "No answer of hurries was right at the first load, so quality>=0.9*baseline" in capsys.readouterr().out


@pytest.mark.usefixtures("as_rag")
def test_answers_that_cannot_be_scored_end_a_search_and_keep_its_answer(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask_in_a_hurry(models, tmp_path, ["Why do crashes happen?"], ["It is word 0"])
    monkeypatch.chdir(tmp_path)
    status, answer, out = search(models, tmp_path, *asked, target="hurries", slo="quality>=0.8*baseline")
    assert status == 1
    printed = capsys.readouterr()
    assert "There is no memory left." in printed.err
    assert "The search ended before its answer was clear." in printed.out
    run = run_file.read(out)
    assert {record.load for record in run.measured("hurries")} == {f"concurrency {users}" for users in (1, 2, 4)}
    assert {block.load for block in run.blocks} == {record.load for record in run.measured("hurries")}
    (stored,) = read_capacities(run)
    assert [load.value for load in stored.curve] == [1, 2]  # the answers at 4 users have no scores
    assert stored.holds == answer["targets"]["hurries"]["holds"] == 2


@pytest.mark.usefixtures("as_rag")
def test_questions_without_right_answers_limit_nothing(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path := tmp_path / "questions.jsonl").write_text('{"question": "Is it good?"}\n')
    asked = ["--questions", str(path), "--documents", str(tmp_path)]
    status, answer, out = search(models, tmp_path, *asked, target="steady", slo="quality>=80%")
    assert (status, answer, out.exists()) == (1, {}, False)
    assert "No question has a right answer to compare with." in capsys.readouterr().err


def test_a_server_that_only_fails(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer, _ = search(models, tmp_path, target="refuses")
    assert status == 3
    assert not answer
    assert "no request succeeded" in capsys.readouterr().err


def test_a_figure_that_a_server_does_not_give(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, _ = search(models, tmp_path, target="silent", slo="tpot_p95<1s")
    assert status == 4
    assert "silent gives no values for tpot_p95<1s: it doesn't report token counts." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--slo", "speed<1s"], "no figure 'speed'"),
        (["--slo", ""], "The service level is empty"),
        (["--slo", "quality>=0.9*baseline"], "The quality of answers needs questions."),
        (["--questions", "questions.jsonl"], "The questions have no documents."),
        (["--users", "0"], "concurrency 0"),
        (["--start", "9"], "can't start at 9"),
        (["--requests", "0"], "The number of requests is 0"),
        (["--target", "stedy"], "Did you mean steady?"),
        (["--target", "steady,steady"], "appears twice"),
        (["--json", "same.jsonl", "--out", "same.jsonl"], "is the file for the raw arrivals"),
    ],
)
def test_bad_input_is_reported_before_anything_is_sent(
    models: Models,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    catalog = models.catalog(tmp_path, "steady")
    arguments = ["--target", "steady", "--catalog", str(catalog), "--slo", SLO, "--users", "8", *more]
    assert main(["capacity", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not models.requests
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.parametrize(
    ("key", "value"),
    [("slo", "speed<1s"), ("unit", "cars"), ("limit", "many"), ("start", 99), ("max_requests", 0), ("values", [])],
)
def test_a_damaged_search(models: Models, tmp_path: Path, key: str, value: object) -> None:
    _, _, out = search(models, tmp_path, target="refuses")
    first, *rest = out.read_text().splitlines()
    header = json.loads(first)
    header["capacity"][key] = value
    out.write_text("\n".join([json.dumps(header), *rest]))
    with pytest.raises(RunError, match="damaged"):
        run_file.read(out)


def test_a_search_that_was_cut_off_can_be_read(models: Models, tmp_path: Path) -> None:
    _, _, out = search(models, tmp_path, target="refuses")
    lines = out.read_text().splitlines()
    out.write_text("\n".join(lines[: len(lines) // 2]))
    (answer,) = read_capacities(run_file.read(out))
    assert answer.holds is None


def test_progress_says_how_much_is_left(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search(models, tmp_path, "--progress", "json", target="steady", slo="ttft_p50<500ms", users="2")
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"done"')]
    assert [step["done"] for step in steps] == list(range(1, len(steps) + 1))
    assert all(step["total"] >= step["done"] for step in steps)
    assert steps[-1]["left"] is not None
    assert {step["doing"] for step in steps} >= {"steady, concurrency 1", "steady, concurrency 2"}


def test_an_error_is_an_event_for_a_program(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, _ = search(models, tmp_path, "--progress", "json", target="steady", slo="speed<1s")
    assert status == 1
    assert "no figure 'speed'" in json.loads(capsys.readouterr().out.splitlines()[0])["error"]
