"""Runs that visitors share by link. A run's name is a hash of its contents, which nobody can guess."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from compare.errors import RunError
from compare.runs import run_file
from compare.runs.records import Failure, Question, Record, Run

# Of more, those that were opened longest ago are removed.
MAX_RUNS, MAX_BYTES = 200, 200_000_000
NAME = re.compile(r"[0-9a-f]{24}")
GONE = "Ask for the JSONL file of the run: Open a stored run shows it."


class SharedRuns:
    """A folder of run files. Without a `folder` they are in a temporary one and end with the program."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> SharedRuns:
        """Keep the runs in SPACEPORT_DATA, if it's set."""
        setting = environment.get("SPACEPORT_DATA")
        return cls(Path(setting).absolute() / "shared-runs" if setting else None)

    @property
    def folder(self) -> Path:
        """The folder. It's created when it's needed, because most programs share nothing."""
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="spaceport-shared-runs-")
            self._folder = Path(self._temporary.name)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder

    def share(self, run: Run, *, with_texts: bool = False) -> str:
        """Store a run and return its name; a run that is shared twice is stored once.

        Its questions, answers and reasons, and what servers say in errors, are left out, unless `with_texts`: the
        marks and the kinds of errors stay.
        """
        content = run_file.text(run if with_texts else without_texts(run)).encode()
        if len(content) > MAX_BYTES // 10:
            raise RunError(f"A run of more than {MAX_BYTES // 10_000_000:,} MB can't be shared.", "Send its file.")
        name = hashlib.sha256(content).hexdigest()[:24]
        try:
            self._store(self._path(name), content)
        except OSError as error:
            raise RunError(f"The run can't be shared ({error.strerror}).", "Send its file.") from error
        return name

    def find(self, name: str) -> Path:
        """Return the file of a shared run; raise `RunError` if there is none, or no more."""
        path = self._path(name) if NAME.fullmatch(name) else None
        if path is None or not path.is_file():
            raise RunError("The run of this link isn't here any more.", GONE)
        path.touch()
        return path

    def _store(self, path: Path, content: bytes) -> None:
        if not path.exists():
            part = path.with_suffix(".part")
            part.write_bytes(content)
            part.replace(path)
        path.touch()
        self._remove_oldest()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def _remove_oldest(self) -> None:
        files = sorted(self.folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        total = 0
        for place, path in enumerate(files):
            total += path.stat().st_size
            if place >= MAX_RUNS or total > MAX_BYTES:
                path.unlink(missing_ok=True)


def without_texts(run: Run) -> Run:
    """Return a run without its questions, answers, the reasons of its scores, and the messages of errors."""
    workload = dict(run.header["workload"])
    if "questions" in workload:
        workload["questions"] = [
            {"id": str(number), "text": "", "answers": [], "answerable": _is_answerable(question)}
            for number, question in enumerate(run.questions, 1)
        ]
    return Run(
        run.header | {"workload": workload},
        [_without_texts(record) for record in run.records],
        run.blocks,
        run.ended,
        {number: replace(score, reason="") for number, score in run.scores.items()},
        {key: replace(judgment, reason="") for key, judgment in run.judgments.items()},
        run.gpus,
        run.servers,
    )


def _without_texts(record: Record) -> Record:
    """Return a request without its answer; its error keeps its kind, because its message can quote the prompt."""
    if record.answer is None and record.error is None:
        return record
    return replace(record, answer=None, error=Failure(record.error.kind, "") if record.error else None)


def _is_answerable(question: Question) -> bool | None:
    """Return whether a question has an answer: one with a right answer does, which isn't shared."""
    return True if question.answerable is None and question.answers else question.answerable
