"""Results published on a stand-in Hub with the real client, and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.hub.client import Hub as HubClient
from compare.__main__ import main
from compare.publish.public_run import public_run
from compare.publish.published import PublishedResults
from compare.runs import run_file
from compare.runs.records import Failure, Run
from tests.compare.make_runs import simulate
from tests.compare.make_scores import with_questions
from tests.helpers.servers import serving
from tests.publish.fake_hub import TOKEN, Hub, Space

REPO, SPACE = "somebody/results", "somebody/page"
DATASET = f"datasets/{REPO}"
NAME = "0123456789ab"  # of a hand-made run
SAMPLES = Path(__file__).parent.parent / "foreign" / "samples"
HOST = "gpu-7.internal.example.com"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(Hub()) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield server


def make_run() -> Run:
    """A run over questions, of targets at a private address, one of which refused a request."""
    run = with_questions(simulate({"a": 1.0, "b": 2.0}, rounds=30, noise=0.02), 12, {"b": [0, 1]})
    for target in run.header["targets"].values():
        target["settings"] |= {"base_url": f"http://{HOST}:8000/v1", "model": "llama", "timeout": 60}
        target["served"] = {"model": "llama-3", "context": 4096, "detail": f"at {HOST}"}
        target["title"] = f"The GPU at http://{HOST}:8000"
    failed = replace(
        run.records[3], error=Failure("Rejected", f"{HOST} refused the request: secret prompt"), arrivals=()
    )
    run.records[3] = replace(failed, answer=None)
    del run.scores[3]
    return run


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    run_file.write(make_run(), tmp_path / "run.jsonl")
    return tmp_path / "run.jsonl"


def rows(hub: Hub, name: str = NAME) -> list[dict[str, Any]]:
    return [json.loads(line) for line in hub.spaces[DATASET].head.files[f"results/{name}.jsonl"].splitlines()]


def test_the_plan_is_the_default_and_changes_nothing(
    hub: Hub, stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(stored), "--repo", REPO, "--static-space", SPACE]) == 0
    text = capsys.readouterr().out
    assert f"{REPO}: a new public dataset" in text
    assert f"  + results/{NAME}.jsonl" in text
    assert f"{SPACE}: a new public static Space" in text
    assert "add --apply" in text
    assert not hub.spaces


def test_results_are_published_with_a_commit_each_and_read_back(
    hub: Hub, stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["publish", str(stored), "--repo", REPO, "--static-space", SPACE, "--price", "a=1.25/h", "--apply"]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert f"[![a vs b]({hub.url}/datasets/{REPO}/resolve/main/badges/{NAME}.svg)]({hub.url}/spaces/{SPACE})" in text
    dataset, space = hub.spaces[DATASET], hub.spaces[SPACE]
    assert [len(dataset.commits), len(space.commits)] == [2, 2]  # the first is the Hub's own
    assert not dataset.private and space.sdk == "static"
    assert set(dataset.head.files) == {
        ".gitattributes", "README.md", f"results/{NAME}.jsonl", f"badges/{NAME}.svg",
    }  # fmt: skip
    assert set(space.head.files) == {".gitattributes", "README.md", "index.html", "badge.svg"}
    assert b"data_files: results/*.jsonl" in dataset.head.files["README.md"]
    assert b"a fastest, starts first" in dataset.head.files[f"badges/{NAME}.svg"]

    assert main(["leaderboard", "--dataset", REPO]) == 0
    text = capsys.readouterr().out
    assert "| a      | llama-3 | short, concurrency 1 |" in text
    assert "a starts 2.0× sooner than b and is 2.0× faster to the end" in text
    assert "Note: b: 1 of 60 requests failed (1 Rejected)" in text
    assert main(["leaderboard", "--dataset", REPO, "--json", "--search", "B", "--judged", "--order", "right"]) == 0
    assert [row["target"] for row in json.loads(capsys.readouterr().out)["rows"]] == ["b"]
    assert main(["leaderboard", "--dataset", REPO, "--clean"]) == 0
    assert capsys.readouterr().out == "No result fits these filters.\n"


def test_an_equal_second_time_makes_no_commit(hub: Hub, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["publish", str(stored), "--repo", REPO, "--static-space", SPACE, "--price", "a=ml.g5.xlarge", "--apply"]
    assert main(command) == 0
    before = {name: space.head.oid for name, space in hub.spaces.items()}
    assert main(command) == 0
    assert {name: space.head.oid for name, space in hub.spaces.items()} == before
    assert f"{REPO}: nothing to do" in capsys.readouterr().out
    assert main([*command, "--price", "b=0.50/h"]) == 0  # the same run, seen differently: its files change
    assert [row["price"] for row in rows(hub)][1] == "0.5 USD/h"
    assert len(hub.spaces[DATASET].commits) == 3


def test_texts_addresses_and_what_servers_say_stay_private(hub: Hub, stored: Path) -> None:
    assert main(["publish", str(stored), "--repo", REPO, "--static-space", SPACE, "--apply"]) == 0
    for name in (DATASET, SPACE):
        content = b"".join(hub.spaces[name].head.files.values())
        for private in (HOST, "8000/v1", "secret prompt", "Question 0", "a says", "because of -"):
            assert private.encode() not in content, (name, private)
    page = hub.spaces[SPACE].head.files["index.html"]
    assert b"model = llama" in page
    assert b"timeout = 60" in page


def test_prompts_are_published_only_if_asked_for_and_can_be_taken_back(hub: Hub, stored: Path) -> None:
    command = ["publish", str(stored), "--repo", REPO, "--apply"]
    assert main([*command, "--prompts"]) == 0
    files = hub.spaces[DATASET].head.files
    answers = [json.loads(line) for line in files[f"answers/{NAME}.jsonl"].splitlines()]
    assert len(answers) == 119  # all but the failed one
    assert {"target": "a", "question": "Question 0?", "answer": "a says + to 0", "correct": True}.items() <= answers[
        0
    ].items()
    assert HOST.encode() not in b"".join(files.values())
    assert main(command) == 0
    assert f"answers/{NAME}.jsonl" not in hub.spaces[DATASET].head.files


@pytest.mark.parametrize("sample", ["aiperf", "guidellm.json", "vllm.json", "vllm-rate.json"])
def test_runs_of_other_tools_are_published_too(hub: Hub, sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", str(SAMPLES / sample), "--repo", REPO, "--apply"]) == 0
    assert main(["leaderboard", "--dataset", REPO]) == 0
    assert "Note: Measured by" in capsys.readouterr().out


def test_a_run_with_many_loads_and_strange_names_is_published_or_refused(
    hub: Hub, stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run()
    run.header |= {"id": "../../x", "started": "yesterday"}
    run_file.write(run, stored)
    assert main(["publish", str(stored), "--repo", REPO, "--apply"]) == 1
    assert "This run can't be published: started of line 1 can't be used." in capsys.readouterr().err
    run.header["started"] = "2026-02-03T04:05:06.789+00:00"
    run.header["workload"]["description"] = run.header["targets"]["a"]["title"] = "x\n\u202e" * 3000
    run_file.write(run, stored)
    assert main(["publish", str(stored), "--repo", REPO, "--apply"]) == 1
    assert "title of line 1 can't be used." in capsys.readouterr().err
    run.header["targets"]["a"]["title"] = "x\n\u202ey"
    run_file.write(run, stored)
    assert main(["publish", str(stored), "--repo", REPO, "--apply"]) == 0
    (name,) = [name for name in hub.spaces[DATASET].head.files if name.startswith("results/")]
    assert ".." not in name
    assert rows(hub, name.removeprefix("results/").removesuffix(".jsonl"))[0]["title"] == "x y"


def test_addresses_in_texts_are_left_out_and_words_stay() -> None:
    run = make_run()
    run.header["targets"]["a"]["settings"]["base_url"] = "http://ollama:11434/v1"
    run.header["targets"]["a"]["title"] = "Ollama at http://ollama:11434 or 10.0.0.7:80"
    run.header["targets"]["b"]["title"] = f"On {HOST.upper()}. See {HOST}.org and v1.2.3"
    public = public_run(run, with_texts=False)
    titles = [target["title"] for target in public.header["targets"].values()]
    assert titles == ["Ollama at (address) or (address)", f"On (address). See {HOST}.org and v1.2.3"]
    assert [each.error for each in public.records if each.error] == [Failure("Rejected", "")]
    run.header["workload"]["questions"][0]["text"] = f"What is at https://example.org/a and at {HOST}?"
    asked = public_run(run, with_texts=True)
    assert asked.questions[0].text == "What is at https://example.org/a and at (address)?"
    assert asked.records[0].answer == run.records[0].answer


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("/home/alice/clients/acme/llama.gguf", "llama.gguf"),
        ("~/models/llama/", "llama"),
        ("./llama.gguf", "llama.gguf"),
        ("C:\\models\\llama.gguf", "llama.gguf"),
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("hf:owner/name/file.gguf", "hf:owner/name/file.gguf"),
    ],
)
def test_a_model_on_somebodys_machine_has_its_name_only(model: str, name: str) -> None:
    run = make_run()
    run.header["targets"]["a"]["settings"]["model"] = model
    run.header["targets"]["a"]["served"] = {"model": model}
    target = public_run(run, with_texts=True).header["targets"]["a"]
    assert (target["settings"]["model"], target["served"]["model"]) == (name, name)


@pytest.mark.parametrize("place", ["title", "target"])
def test_a_secret_or_an_address_in_a_name_stops_the_publication(
    hub: Hub, stored: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run()
    if place == "title":
        run.header["targets"]["a"]["title"] = f"GPU {TOKEN}"
    else:
        run = simulate({f"http://{HOST}": 1.0, "b": 2.0}, rounds=3)
    run_file.write(run, stored)
    assert main(["publish", str(stored), "--repo", REPO, "--static-space", SPACE, "--apply"]) == 1
    error = capsys.readouterr().err
    assert ("looks like a secret (Hugging Face token)" if place == "title" else "is an address") in error
    assert TOKEN not in error
    assert not hub.spaces


def test_a_repository_of_another_purpose_is_refused(hub: Hub, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.spaces[DATASET] = Space("")
    hub.spaces[DATASET].commit("data", {"README.md": b"# Mine\n", "data/train.parquet": b"PAR1"})
    assert main(["publish", str(stored), "--repo", REPO, "--apply"]) == 1
    assert "is for something else: it has data/train.parquet." in capsys.readouterr().err
    hub.spaces[SPACE] = Space("gradio")
    hub.spaces[SPACE].commit("app", {"README.md": b"---\nsdk: gradio\n---\n", "app.py": b""})
    assert main(["publish", str(stored), "--repo", "somebody/new", "--static-space", SPACE, "--apply"]) == 1
    assert "is a gradio Space, not a static one." in capsys.readouterr().err
    for name in ("results", "a/b/c", "some body/x"):
        assert main(["publish", str(stored), "--repo", name, "--apply"]) == 1
        assert "OWNER/NAME" in capsys.readouterr().err
    assert set(hub.spaces) == {DATASET, SPACE}


def test_faults_of_the_hub(hub: Hub, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["publish", str(stored), "--repo", REPO, "--apply"]
    hub.fail("commit", 403)
    assert main(command) == 1
    error = capsys.readouterr().err
    assert "The Hub refused a request for the commit to somebody/results (403)" in error
    assert "write access" in error
    hub.fail("commit", "after")  # the commit was made, and its answer got lost
    assert main(command) == 0
    assert len(hub.spaces[DATASET].commits) == 2
    assert main(["leaderboard", "--dataset", "somebody/nothing"]) == 1
    assert "There is no dataset somebody/nothing." in capsys.readouterr().err


def test_another_client_that_commits_first_loses_nothing(hub: Hub, stored: Path) -> None:
    hub.on_commit = lambda space: space.commit("theirs", {**space.head.files, "results/other.jsonl": b"{}\n"})
    assert main(["publish", str(stored), "--repo", REPO, "--apply"]) == 0
    assert {f"results/{NAME}.jsonl", "results/other.jsonl"} <= set(hub.spaces[DATASET].head.files)


EVIL = "<script>alert(1)</script>"


def test_rows_of_others_are_checked(hub: Hub, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", str(stored), "--repo", REPO, "--apply"]) == 0
    good, space = rows(hub)[0], hub.spaces[DATASET]

    def add(name: str, **changes: Any) -> None:
        row = json.dumps({**good, "run": name, **changes})
        space.commit(name, {**space.head.files, f"results/{name}.jsonl": row.encode()})

    add("newer", version=3, headline=7)
    add("negative", ttft_ms_p50=-1)
    add("escape", headline="\x1b[31mred")
    add("reverse", target="\u202eevil")
    add("long", headline="x" * 4000)
    add("huge", caveats=["x" * 3000] * 700)
    add("foreign", run=NAME)
    add("text", requests="many")
    add("nan", ttft_ms_p50=float("nan"))
    add("markup", headline=EVIL, extra="ignored")
    space.commit("more", {**space.head.files, "results/../x.jsonl": b"{}", "results/no.jsonl": b"[" * 99_999})
    capsys.readouterr()
    assert main(["leaderboard", "--dataset", REPO, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert {row["run"] for row in results["rows"]} == {NAME, "markup"}
    problems = "\n".join(results["problems"])
    assert "1 run is left out: its version is 3, which this program doesn't read." in problems
    assert "results/escape.jsonl can't be used: headline of line 1 can't be used." in problems
    assert "results/huge.jsonl is larger than 2 MB." in problems
    assert "4 more files can't be used." in problems
    assert main(["leaderboard", "--dataset", REPO]) == 0
    assert "<script>" not in capsys.readouterr().out


def test_a_page_reads_again_after_a_while_and_keeps_what_it_has_if_the_hub_fails(hub: Hub, stored: Path) -> None:
    assert main(["publish", str(stored), "--repo", REPO, "--apply"]) == 0
    published = PublishedResults(REPO, HubClient(silence_seconds=2), fresh_seconds=0.0)
    results, error = published.read()
    assert results and len(results.rows) == 2 and error is None
    hub.fail("info", 403)
    again, error = published.read()
    assert again is results and error and error.status == 403
    asked = len(hub.requests)
    assert published.read() == (results, error)  # the Hub isn't asked at once
    assert len(hub.requests) == asked

    fresh = PublishedResults(REPO, HubClient())
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: fresh.read(), range(8)))
    assert {id(each[0]) for each in read} == {id(read[0][0])}
    assert hub.requests[asked:].count("info") == 1
    assert PublishedResults.from_environment({}) is None
