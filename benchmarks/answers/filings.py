"""Asks 155 plain questions about three quarterly reports: is the first quote right, and if not, does it say so?

    python benchmarks/answers/filings.py DIRECTORY

DIRECTORY has the PDFs (the folder `filings` of the test data).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.answers.filings import measure_filings
from harness.tables import table, write


def print_filings(filings: dict[str, Any]) -> None:
    """Print what isn't simply right, and how often each outcome is."""
    cells = [[each["outcome"], each["question"], each["quote"]] for each in filings["questions"]]
    print(table(["outcome", "question", "first quote"], [row for row in cells if row[0] != "right"]), end="\n\n")
    counts: dict[str, dict[str, int]] = filings["outcomes"]
    outcomes = sorted({outcome for count in counts.values() for outcome in count})
    rows = [[outcome, *(str(count.get(outcome, 0)) for count in counts.values())] for outcome in outcomes]
    print(table(["outcome", *(f"{name} set ({sum(count.values())})" for name, count in counts.items())], rows))
    print(f"\np95 of the search and the quotes: {filings['p95_ms']:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="folder with the PDFs")
    filings = measure_filings(parser.parse_args().directory)
    print_filings(filings)
    write("filings", filings)


if __name__ == "__main__":
    main()
