"""What a comparison asks: the page's messages, with the passages that the score needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag.__main__ import main
from rag.answering.answer import Rag
from rag.answering.options import AnswerOptions
from rag.commands.workload import with_progress
from rag.errors import RagError
from rag.json_lines import write_json_lines
from rag.library.library import Library
from rag.scoring.workload_documents import read_documents
from rag.search.embedding.embedders import Embedder
from tests.rag.answering.test_answer import DONE, QueueBackend, collect

HARBOUR = "North Harbour Ltd. Revenue was $4,648 million in 2023. The harbour has 12 cranes."
MILL = "Hill Mill Ltd. Revenue was $5,431 million in 2023. The mill has 3 wheels."
QUESTION = "What was North Harbour's revenue in 2023?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "harbour.txt").write_text(HARBOUR, encoding="utf-8")
    (folder / "mill.txt").write_text(MILL, encoding="utf-8")
    return folder


def workload(folder: Path, *questions: dict[str, Any], options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Run the command and return its lines."""
    path, out = folder.parent / "questions.jsonl", folder.parent / "workload.jsonl"
    path.write_text("".join(f"{json.dumps(question)}\n" for question in questions), encoding="utf-8")
    arguments = ["--questions", str(path), "--documents", str(folder), "--out", str(out), *options]
    assert main(["workload", *arguments]) == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


async def test_the_messages_are_those_of_the_page(folder: Path, embedder: Embedder, library: Library) -> None:
    (line,) = workload(folder, {"id": "q1", "question": QUESTION, "answers": ["4,648 million"]})
    for name in ("harbour.txt", "mill.txt"):
        library.add(folder / name, folder="documents")
    backend = QueueBackend(DONE, context=4096)
    await collect(Rag(embedder, [library]), backend, QUESTION, options=AnswerOptions())
    sent = [{"role": message.role, "content": message.text} for message in backend.requests[0].messages]
    assert (line["messages"], line["max_tokens"]) == (sent, backend.requests[0].max_tokens)


def test_a_line_has_what_the_score_needs(folder: Path) -> None:
    (line,) = workload(folder, {"question": QUESTION, "answers": ["4,648 million"]})
    question = line["question"]
    gold = {key: question[key] for key in ("id", "text", "answers", "spans", "answerable", "schema")}
    assert gold == {
        "id": 1, "text": QUESTION, "answers": ["4,648 million"], "spans": [], "answerable": True, "schema": None,
    }  # fmt: skip
    passage = question["passages"][0]
    assert passage["source"] == "documents/harbour.txt"
    document = read_documents(folder.parent / "workload.jsonl")[passage["document"]]
    assert document.text[passage["start"] : passage["end"]] == passage["text"]
    assert f"[1] ({passage['source']})\n{passage['text']}" in line["messages"][-1]["content"]


def test_a_question_that_the_documents_do_not_answer_gets_the_nearest_passages(folder: Path) -> None:
    (line,) = workload(folder, {"question": "Who won the regatta in 1911?", "answerable": False})
    assert line["question"]["passages"]
    assert line["question"]["answerable"] is False


def test_a_question_to_one_document_gets_its_passages_only(folder: Path) -> None:
    question = {"question": "What was the revenue in 2023?"}
    lines = workload(folder, question, question | {"documents": ["mill.txt"]})
    sources = [{passage["source"] for passage in line["question"]["passages"]} for line in lines]
    assert sources == [{"documents/harbour.txt", "documents/mill.txt"}, {"documents/mill.txt"}]


def test_a_schema_is_part_of_the_question_to_the_model(folder: Path) -> None:
    schema = {"type": "object", "required": ["revenue"]}
    (line,) = workload(folder, {"question": QUESTION, "schema": schema})
    assert json.dumps(schema) in line["messages"][-1]["content"]
    assert line["question"]["schema"] == schema


def test_all_targets_get_passages_for_the_smallest_window(folder: Path) -> None:
    (folder / "long.txt").write_text("\n\n".join(f"North Harbour revenue, part {n}. " * 9 for n in range(40)))
    short, long = (
        workload(folder, {"question": QUESTION}, options=("--context-window", window))[0] for window in ("1500", "8000")
    )
    assert len(short["question"]["passages"]) < len(long["question"]["passages"])


def test_a_document_that_is_not_here(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = folder.parent / "questions.jsonl", folder.parent / "workload.jsonl"
    path.write_text(json.dumps({"question": QUESTION, "documents": ["sea.pdf"]}), encoding="utf-8")
    assert main(["workload", "--questions", str(path), "--documents", str(folder), "--out", str(out)]) == 1
    assert "names a document that isn't here: sea.pdf" in capsys.readouterr().err
    assert not out.exists()


def test_half_of_a_character_in_a_question(folder: Path) -> None:
    (line,) = workload(folder, {"question": f"{QUESTION} \ud83d"})
    assert line["question"]["text"] == f"{QUESTION} ?"


def test_a_folder_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = folder.parent / "questions.jsonl", folder / "no" / "workload.jsonl"
    path.write_text(json.dumps({"question": QUESTION}), encoding="utf-8")
    assert main(["workload", "--questions", str(path), "--documents", str(folder), "--out", str(out)]) == 1
    assert f"Can't write {out}" in capsys.readouterr().err


def test_a_built_library_is_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = folder.parent / "library"
    assert main(["build", str(folder), "--out", str(built)]) == 0
    path, out = folder.parent / "questions.jsonl", folder.parent / "workload.jsonl"
    path.write_text(json.dumps({"question": QUESTION, "documents": ["harbour.txt"]}), encoding="utf-8")
    capsys.readouterr()
    assert main(["workload", "--questions", str(path), "--library", str(built), "--out", str(out)]) == 0
    assert capsys.readouterr().err == "1 question\n"
    (passage,) = json.loads(out.read_text(encoding="utf-8"))["question"]["passages"]
    assert passage["text"] == HARBOUR
    assert [document.name for document in read_documents(out).values()] == ["harbour.txt"]


def test_the_progress_of_many_questions_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(with_progress(iter(range(10_000)), 10_000, seconds=0.0)) == [*range(10_000)]
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "1 of 10,000 questions, 0 minutes left"
    assert lines[-1] == "10,000 questions"


@pytest.mark.parametrize("name", [".", "/"])
def test_a_place_that_is_no_file_cannot_be_written(name: str) -> None:
    with pytest.raises(RagError, match="Can't write"):
        write_json_lines(Path(name), [{}])


def test_the_first_error_of_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "out.part").mkdir()
    for path in (tmp_path / "file" / "out", tmp_path / "out"):
        with pytest.raises(RagError, match="Can't write"):
            write_json_lines(path, [{}])
