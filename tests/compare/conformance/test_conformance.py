"""The conformance kit: what is true, and how it scores tools with and without known faults."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.machine.processors import usable_processors
from compare.__main__ import main
from compare.commands.conformance import _cases, add_conformance_command
from compare.conformance.score import CASES, SCALE_CASES, Case, clients_for, measure, score_tool
from compare.conformance.server import ScriptedServer, Stamp, scripted_server
from compare.conformance.table import scores_table, total
from compare.conformance.tools import FIGURES, Tool, parse_figures, preset, preset_names
from compare.conformance.truth import true_figures
from compare.errors import CompareError

SMALL_TOOL = str(Path(__file__).with_name("small_tool.py"))
COMMAND = [sys.executable, SMALL_TOOL, "{url}", "{model}", "{requests}", "{out}"]
PATHS = {
    "ttft_median_s": ["first", "p50"],
    "itl_mean_s": ["gap", "0"],
    "completed": ["ok"],
    "output_tokens": ["tokens"],
    "e2e_median_ms": ["not", "there"],
}
BROKEN = next(case for case in CASES if case.scenario == "error_after")
ROLE = Case("role", "role_first", 1, 3)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


def tool(*options: str) -> Tool:
    return Tool("small", [[*COMMAND, *options]], "{out}", PATHS)


def stamp(read: float, *texts: float, complete: bool = True, tokens: int | None = None) -> Stamp:
    counted = len(texts) if tokens is None else tokens
    return Stamp(
        "plain", read, tuple(read + text for text in texts), 200, counted, complete, read + (texts or (0.0,))[-1]
    )


def test_true_figures() -> None:
    figures = true_figures([stamp(0, 0.2, 0.4), stamp(1, 0.4, 0.5, 0.6), stamp(2, 0.1, complete=False)])
    assert figures == pytest.approx(
        {
            "ttft_median": 0.3,
            "ttft_mean": 0.3,
            "itl_mean": 0.4 / 3,
            "e2e_median": 0.5,
            "e2e_mean": 0.5,
            "tokens_per_s": 5 / 1.6,
            "tokens_per_busy_s": 5 / 1.0,
            "completed": 2,
            "output_tokens": 5,
        }
    )


def test_first_tokens_count_from_the_schedule() -> None:
    """Two requests a second were due; the client sent the third one a second late."""
    figures = true_figures([stamp(0, 0.1), stamp(0.5, 0.1), stamp(2, 0.1)], rate=2)
    assert figures["ttft_mean"] == pytest.approx((0.1 + 0.1 + 1.1) / 3)
    assert figures["e2e_median"] == pytest.approx(0.1)


def test_without_a_complete_answer_only_counts_are_true() -> None:
    assert true_figures([stamp(0, 0.1, complete=False)]) == {"completed": 0, "output_tokens": 0}


def test_a_p99_needs_a_hundred_gaps() -> None:
    texts = [0.1 + 0.01 * number for number in range(101)]
    assert true_figures([stamp(0, *texts)])["itl_p99"] == pytest.approx(0.01)
    assert "itl_p99" not in true_figures([stamp(0, *texts[:-1])])


def test_an_honest_tool_passes_and_a_naive_one_is_caught(server: ScriptedServer) -> None:
    honest = list(score_tool(tool(), server, [ROLE, BROKEN], {}))
    counts = {score.figure: score for result in honest for score in result.scores if score.case == ROLE.name}
    assert {"ttft_median", "itl_mean", "completed", "output_tokens", "e2e_median"} == set(counts)
    assert (counts["e2e_median"].reported, counts["e2e_median"].passed) == (None, False)
    assert "**missing**" in scores_table(honest)
    assert counts["ttft_median"].error == pytest.approx(0, abs=0.05)
    assert all(score.passed for score in counts.values() if score.figure in ("completed", "output_tokens"))
    assert all(score.passed for score in honest[1].scores)
    naive = list(score_tool(tool("--naive"), server, [ROLE, BROKEN], {}))
    wrong = {(result.case.name, score.figure) for result in naive for score in result.scores if not score.passed}
    assert wrong >= {(ROLE.name, "ttft_median"), (ROLE.name, "output_tokens"), (BROKEN.name, "completed")}
    text = scores_table(naive)
    assert "**2 of 0**" in text
    assert total(naive)[0] < total(naive)[1]


def test_the_server_tells_what_it_refused(server: ScriptedServer) -> None:
    server.stamps()
    command = [sys.executable, "-c", REFUSED, "{url}", "{out}"]
    flaky = Tool("flaky", [command], "{out}", {"completed": ["ok"]})
    stamps, reported = measure(flaky, server, Case("flaky", "flaky", 1, 4, tokens=2), {})
    assert [each.status for each in stamps].count(503) == 1
    assert reported == {"completed": 3}
    assert true_figures(stamps)["completed"] == 3


REFUSED = """
import json, sys, urllib.error, urllib.request
done = 0
for _ in range(4):
    body = json.dumps({"model": "flaky", "max_tokens": 2}).encode()
    try:
        urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/v1/chat/completions", body)).read()
        done += 1
    except urllib.error.HTTPError:
        pass
open(sys.argv[2], "w").write(json.dumps({"ok": done}))
"""


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ([sys.executable, "-c", "raise SystemExit('no such option')"], "no such option"),
        ([sys.executable, "-c", ""], "wrote no JSON"),
        ([sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write('{}')", "{out}"], "0 of 2 requests"),
        (["/no/such/tool"], "Can't run /no/such/tool"),
    ],
)
def test_a_tool_that_does_not_run_gets_a_reason(command: list[str], message: str, server: ScriptedServer) -> None:
    results = list(score_tool(Tool("bad", [command], "{out}", PATHS), server, [BROKEN], {}))
    assert message in results[0].problem
    assert total(results) == (0, 1)
    assert message.split()[0] in scores_table(results)


def test_a_case_on_schedule_is_left_out_if_a_tool_has_none(server: ScriptedServer) -> None:
    scheduled = [case for case in CASES if case.scheduled]
    assert scheduled
    assert not list(score_tool(tool(), server, scheduled, {}))


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_complete(name: str) -> None:
    known = preset(name)
    assert {figure.rpartition("_")[0] for figure in known.figures} >= {"ttft_median", "itl_mean", "e2e_median"}
    text = str([*known.commands, *known.scheduled])
    for placeholder in ("{model}", "{concurrency}", "{requests}", "{tokens}", "{out}"):
        assert placeholder in text


def test_figures_are_checked() -> None:
    assert parse_figures(["completed=a.0.b=c"]) == {"completed": ["a", "0", "b=c"]}
    with pytest.raises(CompareError, match="names no path"):
        parse_figures(["completed"])
    with pytest.raises(CompareError, match="no figure 'ttft'"):
        Tool("x", [], "", {"ttft": ["a"]})
    assert "ttft_median_ms" in FIGURES


def test_any_command_is_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "scores.json"
    arguments = ["conformance", "--case", BROKEN.name, "--json", str(out), "--figure", "completed=ok", "--", *COMMAND]
    assert main(arguments) == 0
    assert "1 of 1 figures are right" in capsys.readouterr().out
    scores = json.loads(out.read_text())
    assert scores["passed"] == scores["of"] == 1
    assert scores["cases"][0]["scores"][0]["reported"] == 0
    assert main([*arguments, "--naive"]) == 3
    assert "**2 of 0**" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a preset or a command"),
        (["--preset", "aiperf", "tool"], "Name a preset or a command"),
        (["--preset", "wrk"], "no preset 'wrk'"),
        (["--preset", "aiperf", "--case", "two at once"], "no case 'two at once'"),
        (["tool", "{url}"], "No figure is named"),
        (["--figure", "speed=a", "tool"], "no figure 'speed'"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_cases_are_selected() -> None:
    def selected(*arguments: str) -> list[Case]:
        parser = argparse.ArgumentParser()
        add_conformance_command(parser.add_subparsers())
        return _cases(parser.parse_args(["conformance", *arguments, "--preset", "vllm"]))

    assert selected() == list(CASES)
    assert selected("--scale") == list(SCALE_CASES)
    names = ["256 at once", "one at a time"]
    assert [case.name for case in selected("--case", names[0], "--case", names[1])] == names[::-1]
    # `compare run` needs as many requests as streams.
    assert all(case.requests >= case.concurrency for case in (*CASES, *SCALE_CASES))


def test_spaceport_counts_what_is_true(server: ScriptedServer) -> None:
    case = Case("flaky", "flaky", 2, 8)
    results = list(score_tool(preset("spaceport"), server, [case, BROKEN], {}))
    assert not [result.problem for result in results if result.problem]
    scores = {(score.case, score.figure): score for result in results for score in result.scores}
    assert scores["flaky", "completed"].passed
    assert scores["flaky", "output_tokens"].passed
    assert scores[BROKEN.name, "completed"].passed
    assert scores["flaky", "ttft_median"].error == pytest.approx(0, abs=0.05)


STAYS = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(float(sys.argv[1]))
raise SystemExit("gone")
"""


@pytest.mark.parametrize(("seconds", "limit", "message"), [("60", 1, "longer than 1 s"), ("0", 15, "status 1: gone")])
def test_a_tool_ends_with_its_time_and_with_the_processes_that_it_started(
    server: ScriptedServer, seconds: str, limit: float, message: str
) -> None:
    """One that kept the pipe of its output open kept the whole comparison waiting."""
    began = time.monotonic()
    command = [sys.executable, "-c", STAYS, seconds]
    (result,) = score_tool(Tool("stays", [command], "{out}", PATHS), server, [BROKEN], {}, limit)
    assert message in result.problem
    assert time.monotonic() - began < 20


def test_several_clients_share_many_streams() -> None:
    processors = usable_processors()
    assert [clients_for(count) for count in (1, 16, 63)] == [1, 1, 1]
    assert clients_for(256) == min(8, processors)
