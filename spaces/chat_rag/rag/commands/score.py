"""`python -m rag score`: whether the answers to a workload's questions are right, and what of them holds."""

from __future__ import annotations

import argparse
import json
import sys

from rag.errors import RagError
from rag.json_lines import parse_json_lines
from rag.scoring.score import Scorer
from rag.scoring.workload import read_workload
from rag.scoring.workload_documents import read_documents

REMEDY = 'Write {"id": …, "answer": "…"} for each answer.'


def run(arguments: argparse.Namespace) -> int:
    """Write the score of each answer on stdin, and return the exit status."""
    questions = read_workload(arguments.workload)
    scorer = Scorer(questions, read_documents(arguments.workload))
    for number, line in parse_json_lines(sys.stdin.buffer, "stdin", REMEDY):
        identifier, answer = line.get("id"), line.get("answer")
        if not isinstance(answer, str):
            raise RagError(f"Line {number} of stdin has no answer.", REMEDY)
        question = questions.get(str(identifier))
        if question is None:
            raise RagError(
                f"Line {number} of stdin answers a question that the workload doesn't have: {identifier!r}.",
                f"Pass the workload that was asked; this one has {len(questions):,} questions.",
            )
        print(json.dumps(scorer.score(question, answer).as_json(), ensure_ascii=False), flush=True)
    return 0
