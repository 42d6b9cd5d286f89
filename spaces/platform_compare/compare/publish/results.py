"""Reads a public dataset of results. Its rows are untrusted: what can't be used is left out and reported."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from backends.hub.client import Hub, check_name, translate_errors
from backends.hub.errors import HubError
from compare.publish.files import RESULTS
from compare.publish.repository import fetch
from compare.publish.schema import MAX_FILE_BYTES, OtherVersion, ResultRow, parse_rows

MAX_FILES, MAX_BYTES = 1000, 50_000_000
DOWNLOADS = 8  # at once
SHOWN_PROBLEMS = 5
_RESULT = re.compile(rf"{RESULTS}/([0-9A-Za-z_-]{{1,64}})\.jsonl")


@dataclass(frozen=True, slots=True)
class Results:
    """The rows of a dataset at a commit, the newest run first, and what was left out."""

    dataset: str
    commit: str
    rows: tuple[ResultRow, ...]
    problems: tuple[str, ...] = ()


def read_results(hub: Hub, dataset: str) -> Results:
    """Read a dataset of results; raise `HubError` if there is none."""
    check_name(dataset)
    live = fetch(hub, dataset, "dataset")
    if live.sha is None:
        raise HubError(f"There is no dataset {dataset}.", "Check the name, and that the token has access.", status=404)
    names = sorted(name for name in live.files if _RESULT.fullmatch(name))
    readable, problems = _within_limits(names, {name: size for name, (_, size) in live.files.items()})
    with ThreadPoolExecutor(DOWNLOADS) as pool, translate_errors(f"the results in {dataset}"):
        contents = list(pool.map(lambda name: _download(hub, dataset, name, str(live.sha)), readable))
    rows: list[ResultRow] = []
    others: Counter[str] = Counter()
    for name, content in zip(readable, contents, strict=True):
        try:
            rows += parse_rows(content, _RESULT.fullmatch(name)[1])  # type: ignore[index]
        except OtherVersion as error:
            others[str(error)] += 1
        except ValueError as error:
            problems.append(f"{name} can't be used: {error}.")
    rows.sort(key=lambda row: row.started, reverse=True)
    return Results(dataset, live.sha, tuple(rows), (*_version_problems(others), *_shorten(problems)))


def _within_limits(names: Sequence[str], sizes: dict[str, int]) -> tuple[list[str], list[str]]:
    """Return the files to read, and which ones are too large or too many."""
    readable: list[str] = []
    problems: list[str] = []
    total = 0
    for name in names:
        if sizes[name] > MAX_FILE_BYTES:
            problems.append(f"{name} is larger than {MAX_FILE_BYTES / 1e6:g} MB.")
        elif len(readable) >= MAX_FILES or total + sizes[name] > MAX_BYTES:
            problems.append(f"Only {len(readable):,} of {len(names):,} runs are read, up to {MAX_BYTES / 1e6:g} MB.")
            break
        else:
            readable.append(name)
            total += sizes[name]
    return readable, problems


def _download(hub: Hub, dataset: str, name: str, commit: str) -> bytes:
    path = hub.api.hf_hub_download(dataset, name, repo_type="dataset", revision=commit)
    return Path(path).read_bytes()


def _version_problems(others: Counter[str]) -> list[str]:
    return [
        f"{count:,} {'run is' if count == 1 else 'runs are'} left out: {reason}, which this program doesn't read. "
        "A newer version of Spaceport may."
        for reason, count in others.items()
    ]


def _shorten(problems: list[str]) -> list[str]:
    more = len(problems) - SHOWN_PROBLEMS
    return [*problems[:SHOWN_PROBLEMS], *([f"{more:,} more files can't be used."] if more > 0 else [])]
