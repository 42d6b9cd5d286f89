"""`python -m rag verify`: any change of an answer or of its document is a problem."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag.__main__ import main
from rag.answering.api import answer_from_files
from rag.search.embedding.embedders import Embedder
from tests.rag.answering.test_api import FixedBackend

TEXT = "The crane lifts 40 tonnes. High water at the quay is at 14:20 today. Dogs are free."


@pytest.fixture
async def reply(embedder: Embedder, write_file: Callable[[str, str], Path]) -> dict[str, Any]:
    backend = FixedBackend("High water is at 14:20 [1]. Low water is at 20:35.")
    file = write_file("tide.txt", TEXT)
    return await answer_from_files("When is high water at the quay?", backend, embedder, files=[file])


def verify(tmp_path: Path, answers: str) -> int:
    file = tmp_path / "answers.json"
    file.write_text(answers)
    return main(["verify", str(file), str(tmp_path / "tide.txt")])


def test_an_answer_is_verified(reply: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(tmp_path, json.dumps(reply)) == 0
    assert verify(tmp_path, f"{json.dumps(reply)}\n{json.dumps(reply)}\n") == 0
    assert capsys.readouterr().out == "1 answers, 0 problems\n2 answers, 0 problems\n"


def test_each_change_is_a_problem(reply: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
        (
            lambda answer: answer["quotes"][0].update(text=answer["quotes"][0]["text"].replace("14", "15")),
            "other words",
        ),
        (lambda answer: answer["quotes"][0].update(start=answer["quotes"][0]["start"] + 1), "other words"),
        (lambda answer: answer["quotes"][0].update(answer_end=10**6), "isn't inside the quote"),
        (lambda answer: answer["citations"][0].update(end=answer["citations"][0]["end"] - 1), "other words"),
        (lambda answer: answer["quotes"][0].update(document_id="0" * 16), "no file has the content"),
        (lambda answer: answer["sentences"][0].update(text="High water is at 14:25."), "citations don't say so"),
        (lambda answer: answer.update(answer="Something else."), "doesn't have this sentence"),
        (lambda answer: answer["quotes"][0].pop("start"), "isn't an answer"),
    ]
    for change, problem in changes:
        changed = json.loads(json.dumps(reply))
        change(changed)
        assert verify(tmp_path, json.dumps(changed)) == 1, problem
        assert problem in capsys.readouterr().out
    (tmp_path / "tide.txt").write_text(TEXT.replace("crane", "Crane"))
    assert verify(tmp_path, json.dumps(reply)) == 1
    assert "no file has the content of this document" in capsys.readouterr().out


def test_a_file_without_answers_is_an_error(
    reply: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(tmp_path, "no JSON") == 1
    assert "Can't read the answers" in capsys.readouterr().err
