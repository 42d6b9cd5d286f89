"""What is read right of PDFs with known content, and in how much time and memory?

    python benchmarks/reading/reading.py [--samples 20] [--accuracy] [--filings FOLDER] [--before CHECKOUT]

For each layout: the share of table cells at their right row and column, of words in their order, and how many figures
are changed. The time is CPU time per page, the best of some rounds, for the PDFs in FOLDER and for the layouts. With
`--before`, the same pages are read by the code of another checkout, in turn with this one. Memory is the peak of a
process that reads a PDF of 100 pages and one of 1,000. `--accuracy` leaves out times and memory.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.documents.pdf_samples import LAYOUTS, Sample, samples
from harness.tables import table, write

from rag.commands.read import document_json
from rag.documents import Document
from rag.reading.parse import read_document

FIGURE = re.compile(r"\d[\d.,]*\d|\d")
HEADERS = ["layout", "cells right", "words in order", "figures changed", "ms a page", "before", "ratio"]
ROUNDS = 5
# Runs in the checkout that is measured, which may have other modules: only `read_document` is used.
TIMER = """
import gc, json, resource, sys, time
from pathlib import Path
from rag.reading.parse import read_document
paths = [Path(path) for path in sys.argv[2:]]
read_document(paths[0])
gc.freeze()  # as in a reader process
seconds, pages = [], 0
for _ in range(int(sys.argv[1])):
    start = time.process_time()
    pages = sum(len(read_document(path).pages) for path in paths)
    seconds.append(time.process_time() - start)
print(json.dumps([1000 * min(seconds) / pages, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


@dataclass
class Score:
    """What was read of the samples of a layout."""

    cells: int = 0
    right_cells: int = 0
    words: int = 0
    words_in_order: int = 0
    figures: int = 0
    changed_figures: int = 0

    def add(self, sample: Sample, document: Document) -> None:
        """Compare a document with what its sample has."""
        read = [table["rows"] for table in document_json(document)["tables"]]
        for number, rows in enumerate(sample.tables):
            read_rows = read[number] if number < len(read) else []
            pairs = [
                (text, _cell(read_rows, row, column))
                for row, cells in enumerate(rows)
                for column, text in enumerate(cells)
            ]
            self.cells += len(pairs)
            self.right_cells += sum(text == other for text, other in pairs)
        words = document.text.split()
        if sample.words:
            matcher = difflib.SequenceMatcher(None, sample.words, words, autojunk=False)
            self.words += len(sample.words)
            self.words_in_order += sum(block.size for block in matcher.get_matching_blocks())
        figures = [*sample.figures, *FIGURE.findall(" ".join([*sample.words, *_texts(sample)]))]
        left = FIGURE.findall(document.text)
        self.figures += len(figures)
        for figure in figures:
            if figure in left:
                left.remove(figure)
            else:
                self.changed_figures += 1


def main() -> None:
    """Print the table and write the results as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=20, help="documents of each layout")
    parser.add_argument("--filings", type=Path, help="a folder of real PDFs, for the time")
    parser.add_argument("--before", type=Path, help="a checkout of the version to compare the time with")
    parser.add_argument("--accuracy", action="store_true", help="without times and memory")
    arguments = parser.parse_args()
    checkouts = {"now": Path(__file__).parents[2]} | ({"before": arguments.before} if arguments.before else {})
    rows, results = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for layout in LAYOUTS:
            paths, score = [], Score()
            for number, sample in enumerate(samples(layout, arguments.samples)):
                paths.append(Path(folder) / f"{len(rows)}-{number}.pdf")
                paths[-1].write_bytes(sample.content)
                score.add(sample, read_document(paths[-1]))
            times = {} if arguments.accuracy else _times(checkouts, paths)
            rows.append(_row(layout, score, times))
            results[layout] = vars(score) | {"ms_per_page": times}
        if arguments.accuracy:
            print(table(HEADERS[:4], [row[:4] for row in rows]))
            return
        for path in sorted(arguments.filings.glob("*.pdf")) if arguments.filings else ():
            times = _times(checkouts, [path])
            rows.append(_row(path.name, Score(), times))
            results[path.name] = {"ms_per_page": times}
        memory = {str(pages): _peak(checkouts["now"], _long_pdf(Path(folder), pages)) for pages in (100, 1000)}
    print(table(HEADERS, rows))
    print(f"\npeak memory: {memory['100']:.0f} MB with 100 pages, {memory['1000']:.0f} MB with 1,000")
    write("reading", {"layouts": results, "peak_megabytes": memory})


def _cell(rows: Sequence[Sequence[str]], row: int, column: int) -> str | None:
    return rows[row][column] if row < len(rows) and column < len(rows[row]) else None


def _texts(sample: Sample) -> list[str]:
    """Return the texts of a sample's cells; one that spans columns is there once."""
    return [
        text
        for rows in sample.tables
        for row in rows
        for column, text in enumerate(row)
        if column == 0 or text != row[column - 1] or any(map(str.isdigit, text))
    ]


def _row(name: str, score: Score, times: dict[str, float]) -> list[str]:
    def share(part: int, whole: int) -> str:
        return f"{part / whole:.3f}" if whole else ""

    before = times.get("before")
    return [
        name,
        share(score.right_cells, score.cells),
        share(score.words_in_order, score.words),
        f"{score.changed_figures} of {score.figures}" if score.figures else "",
        f"{times['now']:.2f}" if times else "",
        f"{before:.2f}" if before else "",
        f"{times['now'] / before:.2f}" if before else "",
    ]


def _times(checkouts: dict[str, Path], paths: Sequence[Path]) -> dict[str, float]:
    """Return the milliseconds a page, the best of two runs of each checkout in turn."""
    runs = [{name: _run(checkout, ROUNDS, paths)[0] for name, checkout in checkouts.items()} for _ in range(2)]
    return {name: min(run[name] for run in runs) for name in checkouts}


def _run(checkout: Path, rounds: int, paths: Sequence[Path]) -> tuple[float, float]:
    """Return the milliseconds a page and the peak in megabytes."""
    roots = [checkout, checkout / "spaces", checkout / "spaces" / "chat_rag"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, roots))}
    command = [sys.executable, "-c", TIMER, str(rounds), *map(str, paths)]
    output = subprocess.run(command, check=True, capture_output=True, env=environment, text=True).stdout
    milliseconds, megabytes = json.loads(output)
    return milliseconds, megabytes


def _peak(checkout: Path, path: Path) -> float:
    return _run(checkout, 1, [path])[1]


def _long_pdf(folder: Path, pages: int) -> Path:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    names = list(LAYOUTS)
    parts = [folder / f"{names.index(name)}-0.pdf" for name in ("table, figures at the right", "prose, one column")]
    for number in range(pages):
        writer.add_page(PdfReader(parts[number % 2]).pages[0])
    path = folder / f"long-{pages}.pdf"
    writer.write(path)
    return path


if __name__ == "__main__":
    main()
