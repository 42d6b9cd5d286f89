"""python -m rag: the same answers as the page, in a process of its own, on the real models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from rag.answering.abstain import REFUSAL, WITHOUT
from rag.reading.parse import read_document
from tests.conftest import ROOT
from tests.helpers.servers import free_port, wait_until
from tests.rag.make_documents import quarterly_report


def rag(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rag", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quarterly_report(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Chroma server."""
    port, folder = free_port(), tmp_path_factory.mktemp("chroma")
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder), "--port", str(port)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}"

        def beats() -> bool:
            try:
                return httpx2.get(f"{url}/api/v2/heartbeat").status_code == 200
            except httpx2.TransportError:
                time.sleep(0.2)
                return False

        wait_until(beats, 60, lambda: (folder / "log").read_text())
        yield url
        process.terminate()


def test_an_answer_whose_citations_hold(report: Path) -> None:
    done = rag("ask", report, "-q", "What were total net sales for the quarter?", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    text = read_document(report).text
    assert told["answer"].strip()
    for citation in told["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["passage"]
        assert citation["document"] == report.name
        assert f"[{citation['number']}]" in told["answer"]
        assert citation["page"] >= 1
        assert citation["score"] > 0
    assert told["usage"]["output_tokens"] > 0
    assert told["sent"].startswith(f"{told['usage']['input_tokens']:,} of {told['context']:,} tokens")
    assert (told["abstained"], told["nearest"], told["left_out"]) == (False, [], 0)
    assert told["searched"] == "What were total net sales for the quarter?"
    assert told["timings"]["first_token_seconds"] > 0


def test_a_question_that_the_file_does_not_answer(report: Path) -> None:
    question = ["-q", "Who composed the opera about the barber of Seville?", "--max-tokens", "16"]
    done = rag("ask", report, *question)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{REFUSAL}\nNearest passages (")
    assert f"[1] {report.name}, page " in done.stdout
    done = rag("ask", report, *question, "--json", "--allow-without")
    told = json.loads(done.stdout)
    assert told["abstained"] is True
    assert told["reason"]
    assert told["nearest"][0]["document"] == report.name
    assert told["citations"] == []
    assert told["answer"].removeprefix(WITHOUT).strip()
    assert told["usage"]["output_tokens"] > 0


def test_search_writes_a_line_a_question_with_offsets(tmp_path: Path, chroma: str) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text(
        "# Harbour\r\n\r\nThe crane lifts 40 tonnes.\r\n\r\n# Café\r\n\r\nIt opens at seven.\r\n", newline=""
    )
    questions, out = tmp_path / "q.jsonl", tmp_path / "r.jsonl"
    questions.write_text('{"id": "a", "question": "How much does the crane lift?"}\n\n{"id": 2, "question": "When?"}\n')
    done = rag(
        "search", notes, "--questions", questions, "--limit-chars", "40", "--out", out, SPACEPORT_CHROMA_URL=chroma
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["id"] for line in lines] == ["a", 2]
    original = notes.read_bytes().decode()
    for line in lines:
        spans = [(passage["start"], passage["end"]) for passage in line["passages"]]
        assert 0 < sum(end - start for start, end in spans) <= 40
        assert all(0 <= start < end <= len(original) for start, end in spans)
    collections = httpx2.get(f"{chroma}/api/v2/tenants/default_tenant/databases/default_database/collections").json()
    assert collections == []  # what was searched is forgotten


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["ask", "nowhere.pdf", "-q", "x"], 1, "nowhere.pdf"),
        (["ask", "README.md", "-q", "x", "--backend", "laptp"], 1, "Did you mean laptop?"),
        (["ask", "README.md"], 2, "--question"),
        (["search", "README.md", "--questions", "pyproject.toml", "--out", os.devnull], 1, "Line 1 of pyproject.toml"),
    ],
)
def test_bad_use_is_told_with_a_remedy(arguments: list[str], status: int, told: str) -> None:
    done = rag(*arguments)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr
