"""The files of a publication: a run's rows and badge in a dataset, and its report as a static Space."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from compare.analyse.quality.differing_questions import requests_by_question
from compare.errors import RunError
from compare.publish.badge import badge_svg
from compare.publish.public_run import check_secrets
from compare.publish.schema import MAX_CAVEATS, MAX_FILE_BYTES, MAX_SENTENCE, parse_rows
from compare.report.files.html_report import html
from compare.report.files.rows import VERSION, report_rows
from compare.report.overview.short_verdict import short_verdict
from compare.report.report import Report
from compare.report.words.strings import versus

RESULTS, ANSWERS, BADGES = "results", "answers", "badges"
TAG = "spaceport-results"
_RUN_NAME = re.compile(r"[0-9A-Za-z_-]{1,64}")


def run_name(report: Report) -> str:
    """Return the name of a run's files: its id, or a hash of one that can't be a file's name."""
    name = str(report.run.header["id"])
    return name if _RUN_NAME.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:12]


def dated(report: Report) -> Report:
    """Return the report as of the run's own day: the age of a price must not change what is published."""
    try:
        return replace(report, today=datetime.fromisoformat(report.run.header["started"]).date())
    except ValueError:
        return report


def dataset_files(report: Report, *, with_texts: bool) -> dict[str, bytes]:
    """Return the files of a run in the dataset; its questions and answers only `with_texts`."""
    name = run_name(report)
    rows = [{key: _clean(value) for key, value in row.items()} | {"run": name} for row in report_rows(report)]
    content = _json_lines(rows)
    _check_rows(content, name)
    check_secrets({f"row {number}": row for number, row in enumerate(rows, 1)})
    files = {f"{RESULTS}/{name}.jsonl": content, f"{BADGES}/{name}.svg": _badge(report)}
    if with_texts and (answers := _answer_rows(report, name)):
        check_secrets({"the answers": answers})
        files[f"{ANSWERS}/{name}.jsonl"] = _json_lines(answers)
    return files


def _check_rows(content: bytes, name: str) -> None:
    """Raise `RunError` if others couldn't read these rows."""
    try:
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"its rows have {len(content) / 1e6:.1f} MB")
        parse_rows(content, name)
    except ValueError as error:
        raise RunError(f"This run can't be published: {error}.", "Measure fewer targets and loads.") from error


def dataset_card(repo: str) -> bytes:
    """Return the README of a new dataset, which tells the Hub which files are tables."""
    configs = "".join(
        f"- config_name: {name}\n  data_files: {name}/*.jsonl\n{'  default: true' + chr(10) if name == RESULTS else ''}"
        for name in (RESULTS, ANSWERS)
    )
    return (
        f"---\npretty_name: Results of {repo}\ntags:\n- {TAG}\nconfigs:\n{configs}---\n\n"
        f"Measurements of model backends, a row per run, target and load (schema version {VERSION}; times in "
        "milliseconds). `headline` is the run's verdict, whose intervals hold together with 95% certainty; `caveats` "
        "are what to know before you trust it. Only rows of one run were measured in turns: others differ in machine, "
        "time and load.\n\nWritten by `python -m compare publish`, read by `python -m compare leaderboard`.\n"
    ).encode()


def page_files(report: Report, title: str, dataset: str) -> dict[str, bytes]:
    """Return the files of the static Space."""
    readme = (
        f"---\ntitle: {json.dumps(title[:100], ensure_ascii=False)}\nemoji: 🏁\ncolorFrom: yellow\ncolorTo: indigo\n"
        f"sdk: static\npinned: false\ntags:\n- {TAG}\ndatasets:\n- {dataset}\n---\n\n"
        f"The report of a measurement. Its rows are in the dataset `{dataset}`.\n"
    )
    check_secrets({"the header of the run": report.run.header})
    return {"README.md": readme.encode(), "index.html": _page(report), "badge.svg": _badge(report)}


def page_title(report: Report) -> str:
    """Return the title of the static Space."""
    return versus(report.run.targets)


def _page(report: Report) -> bytes:
    return html(report).encode(errors="replace")


def _badge(report: Report) -> bytes:
    return badge_svg(versus(report.run.targets), short_verdict(report)).encode(errors="replace")


def _answer_rows(report: Report, name: str) -> list[dict[str, Any]]:
    """Return a row for each scored answer, with its question and its marks."""
    questions = report.run.questions
    return [
        {
            "version": VERSION,
            "run": name,
            "target": target,
            "question": questions[number].text,
            "right_answers": list(questions[number].answers),
            "answer": record.answer,
            "correct": score.correct,
            "supported": score.supported,
            "refused": score.refused,
            "reason": score.reason,
        }
        for (target, number), entries in requests_by_question(report.run).items()
        for record, score in entries
        if score and number < len(questions)
    ]


def _json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode(errors="replace")


def _clean(value: Any) -> Any:
    """Return a row's value whose texts are visible lines."""
    if isinstance(value, str):
        return "".join(each for each in " ".join(value.split()) if each.isprintable())[:MAX_SENTENCE]
    return [_clean(each) for each in value[:MAX_CAVEATS]] if isinstance(value, list) else value
