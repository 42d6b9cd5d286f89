"""`python -m rag` with the real models: once in a process of its own, else as a call, which imports nothing again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from rag.__main__ import main
from rag.answering.abstention.strings import NOT_FROM_DOCUMENTS, REFUSAL
from rag.reading.parse import read_document
from tests.conftest import ROOT
from tests.helpers.servers import free_port, wait_until
from tests.rag.make_documents import short_report


def rag(*arguments: str | Path) -> int:
    """Return the exit status of `python -m rag`."""
    try:
        return main(list(map(str, arguments)))
    except SystemExit as end:  # of argparse
        return int(str(end.code))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reading and embedding the real one takes a process ten seconds."""
    return short_report(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Chroma server."""
    port, folder = free_port(), tmp_path_factory.mktemp("chroma")
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder), "--port", str(port)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}"

        def is_up() -> bool:
            try:
                return httpx2.get(f"{url}/api/v2/heartbeat").status_code == 200
            except httpx2.TransportError:
                time.sleep(0.2)
                return False

        wait_until(is_up, 60, lambda: (folder / "log").read_text())
        yield url
        process.terminate()


def test_the_citations_of_an_answer_are_exact(report: Path) -> None:
    question = "What were total net sales for the quarter?"
    options = ["--json", "--writes", "answer", "--passages", "3", "--max-tokens", "24"]
    command = [sys.executable, "-m", "rag", "ask", report, "-q", question, *options]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert process.returncode == 0, process.stderr
    reply = json.loads(process.stdout)
    text = read_document(report).text
    assert reply["answer"].strip()
    for citation in reply["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["passage"]
        assert citation["document"] == report.name
        assert f"[{citation['number']}]" in reply["answer"]
        assert citation["page"] >= 1
        assert citation["score"] > 0
    assert reply["usage"]["output_tokens"] > 0
    assert reply["sent"].startswith(f"{reply['usage']['input_tokens']:,} of {reply['context']:,} tokens")
    assert (reply["abstained"], reply["nearest"], reply["left_out"]) == (False, [], 0)
    assert reply["searched"] == "What were total net sales for the quarter?"
    assert reply["timings"]["first_token_seconds"] > 0


def test_a_question_that_the_file_does_not_answer(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = ["-q", "Who composed the opera about the barber of Seville?", "--max-tokens", "16"]
    assert rag("ask", report, *question) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{REFUSAL}\nNearest passages (")
    assert f"[1] {report.name}, page " in printed
    assert rag("ask", report, *question, "--json", "--allow-without") == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["abstained"] is True
    assert reply["reason"]
    assert reply["nearest"][0]["document"] == report.name
    assert reply["citations"] == []
    assert reply["answer"].removeprefix(NOT_FROM_DOCUMENTS).strip()
    assert reply["usage"]["output_tokens"] > 0


def test_many_questions_about_a_folder(report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The default target quotes: no model is loaded."""
    folder = tmp_path / "files"
    folder.mkdir()
    shutil.copy(report, folder)
    (folder / "picture.png").write_bytes(b"not a document")
    questions, out = tmp_path / "q.jsonl", tmp_path / "r.jsonl"
    questions.write_text(
        '{"id": 7, "question": "What were total net sales for the quarter?"}\n'
        '{"id": "b", "question": "Who composed the opera about the barber of Seville?"}\n'
        + json.dumps({"id": "long", "question": "net sales? " * 2000})
    )
    assert rag("ask", folder, "--questions", questions, "--out", out) == 1
    assert "1 of 3 questions failed" in capsys.readouterr().err
    first, second, long = (json.loads(line) for line in out.read_text().splitlines())
    text = read_document(report).text
    assert (first["id"], first["question"]) == (7, "What were total net sales for the quarter?")
    assert (first["answer"], first["citations"], first["abstained"], first["reason"]) == ("", [], False, None)
    assert 1 <= len(first["quotes"]) <= 3
    for quote in first["quotes"]:
        assert text[quote["start"] : quote["end"]] == quote["text"]
        assert quote["start"] <= quote["answer_start"] < quote["answer_end"] <= quote["end"]
        assert (quote["document"], quote["page"] >= 1) == (f"files/{report.name}", True)
        assert 0 <= quote["probability"] <= 1
    assert 0 < first["timings"]["quotes_ms"] <= first["timings"]["total_ms"]
    assert first["timings"]["first_token_ms"] is None
    assert (second["id"], second["abstained"], second["answer"]) == ("b", True, REFUSAL)
    assert second["reason"]
    assert (long["id"], long["abstained"], long["quotes"]) == ("long", True, [])
    assert long["question"] == "net sales? " * 2000
    assert "up to 10,000 characters" in long["reason"]


def test_search_writes_a_line_with_offsets_for_each_question(
    tmp_path: Path, chroma: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text(
        "# Harbour\r\n\r\nThe crane lifts 40 tonnes.\r\n\r\n# Café\r\n\r\nIt opens at seven.\r\n", newline=""
    )
    questions, out = tmp_path / "q.jsonl", tmp_path / "r.jsonl"
    questions.write_text('{"id": "a", "question": "How much does the crane lift?"}\n\n{"id": 2, "question": "When?"}\n')
    monkeypatch.setenv("SPACEPORT_CHROMA_URL", chroma)
    assert rag("search", notes, "--questions", questions, "--limit-chars", "40", "--out", out) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["id"] for line in lines] == ["a", 2]
    original = notes.read_bytes().decode()
    for line in lines:
        spans = [(passage["start"], passage["end"]) for passage in line["passages"]]
        assert 0 < sum(end - start for start, end in spans) <= 40
        assert all(0 <= start < end <= len(original) for start, end in spans)
    collections = httpx2.get(f"{chroma}/api/v2/tenants/default_tenant/databases/default_database/collections").json()
    assert collections == []  # the search leaves nothing on the server


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["ask", "nowhere.pdf", "-q", "x"], 1, "nowhere.pdf"),
        (["ask", "README.md", "-q", "x", "--backend", "laptp"], 1, "Did you mean laptop?"),
        (["ask", "README.md"], 2, "--question"),
        (["ask", "README.md", "--questions", "q.jsonl"], 1, "--out"),
        (["search", "README.md", "--questions", "pyproject.toml", "--out", os.devnull], 1, "Line 1 of pyproject.toml"),
    ],
)
def test_wrong_use_is_an_error_with_a_remedy(
    arguments: list[str],
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    assert rag(*arguments) == status
    assert message in capsys.readouterr().err
