"""A stand-in for `python -m rag`: makes prompts without passages, and finds an answer right if it holds a gold answer.

    python fake_rag.py workload --questions FILE --documents FOLDER --out FILE
    python fake_rag.py score --workload FILE

A question about "errors" makes it fail, and so does a wrong answer to one about "crashes".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(command: str, *arguments: str) -> int:
    options = dict(zip(arguments[::2], arguments[1::2], strict=True))
    if command == "workload":
        assert Path(options["--documents"]).exists()
        questions = [json.loads(line) for line in Path(options["--questions"]).read_text().splitlines()]
        if any("errors" in question["question"] for question in questions):
            print("note: reading\nerror: There is no document.\n  Name a folder.", file=sys.stderr)
            return 1
        lines = [json.dumps(workload_line(number, question)) for number, question in enumerate(questions, 1)]
        Path(options["--out"]).write_text("".join(f"{line}\n" for line in lines))
        return 0
    entries = [json.loads(line)["question"] for line in Path(options["--workload"]).read_text().splitlines()]
    known = {entry["id"]: entry for entry in entries}
    for line in sys.stdin:
        answer = json.loads(line)
        entry = score(known[answer["id"]], answer["answer"])
        if "crashes" in known[answer["id"]]["text"] and not entry["correct"]:
            print("error: There is no memory left.\n  Close something.", file=sys.stderr)
            return 1
        print(json.dumps(entry), flush=True)
    return 0


def workload_line(number: int, question: dict[str, Any]) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": question["question"]}],
        "max_tokens": 64,
        "question": {
            "id": question.get("id", str(number)),
            "text": question["question"],
            "answers": question.get("answers", []),
            "spans": [],
            "answerable": question.get("answerable"),
            "schema": None,
            "passages": [{"text": "A passage.", "source": "a.txt", "page": None}],
        },
    }


def score(question: dict[str, Any], answer: str) -> dict[str, Any]:
    refused = "don't answer" in answer
    right = any(gold in answer for gold in question["answers"]) if question["answers"] else None
    return {
        "id": question["id"],
        "correct": refused if question["answerable"] is False else right,
        "supported": None if refused else 0.5,
        "refused": refused,
        "well_formed": None,
        "words": len(answer.split()),
        "reason": f"it holds {len(answer)} characters",
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
