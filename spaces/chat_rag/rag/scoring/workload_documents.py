"""The documents of a workload's passages, in a file beside it: a sentence is checked with what stands around a passage.

"In millions" can stand above a table, and the name of the company on the first page only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from rag.documents import Document
from rag.errors import RagError
from rag.json_lines import write_json_lines
from rag.library.storage.stored_files import document_fields, parse_document


def documents_path(workload: Path) -> Path:
    """Return the file with the documents of a workload."""
    return workload.with_name(f"{workload.stem}.documents{workload.suffix}")


def write_documents(workload: Path, documents: Iterable[Document]) -> None:
    """Write the documents."""
    write_json_lines(documents_path(workload), (document_fields(document, ()) for document in documents))


def read_documents(workload: Path) -> dict[str, Document]:
    """Return the documents of a workload by their ids; none, with a note on stderr, if their file isn't there."""
    path = documents_path(workload)
    if not path.exists():
        print(f"{path} isn't there: sentences are checked with the passages alone.", file=sys.stderr)
        return {}
    documents = {}
    try:
        for line in path.read_bytes().splitlines():
            document, _ = parse_document(json.loads(line))
            documents[document.id] = document
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise RagError(f"{path} can't be read ({reason}).", "Write the workload again, or delete this file.") from error
    return documents
