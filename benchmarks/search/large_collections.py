"""Large collections on a built library and on a Chroma server: building, disk, memory, time of a search, recall.

    python benchmarks/search/large_collections.py DIRECTORY [--chunks 20000,100000,1000000] [--ways library,chroma]

DIRECTORY has the corpora and questions of retrieval.py beside this. The documents are those of
search_latency.py, 400 chunks each: words as frequent as in real text, and vectors near the middle of two
real ones, which are made and not embedded. Each way builds and searches in a process of its own. The time of a build is
without the time that it takes to make the documents, and without reading and embedding them. What isn't measured now
stays in the file of results as it was.

A search is the page's: by meaning and by words, without embedding the question. Recall is how many of the ten chunks
whose vectors (float32) are nearest to a question are the first ten that the search by meaning finds.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, cast

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.documents.collection_source import NEAREST, Source, Task
from harness.tables import RESULTS, free_port, table, write

from rag.library.built.assembly import Contents, assemble
from rag.library.built.manifest import library_label
from rag.library.built.packed import PackedDocument
from rag.library.built.shared_library import BuiltLibrary
from rag.library.built.sources import FoundFile
from rag.library.storage.stored_files import StoredDocument
from rag.search.chroma_vectors import chroma_client
from rag.search.embedding.embedders import Embedder
from rag.search.index import HITS, Index

NAME = "large_collections"


def build_library(task: Task) -> dict[str, Any]:
    """Build a library; return the seconds, its size on disk, and the chunks that are nearest."""
    embedder = Embedder()
    source = Source(task, embedder)

    def packed() -> Iterator[tuple[FoundFile, PackedDocument]]:
        for each in source:
            # Without the originals, nothing is read from the file of a document.
            yield cast(FoundFile, None), PackedDocument.of(StoredDocument(*each))

    started = time.perf_counter()
    assemble(task.folder, Contents("large", library_label(embedder), False, ()), packed())
    seconds = time.perf_counter() - started - source.seconds
    return {"build_seconds": seconds, "nearest": source.nearest.keys, "vectors": source.vectors}


def search_library(task: Task, built: dict[str, Any]) -> dict[str, Any]:
    """Load a built library as the page does, and search it."""
    embedder = Embedder()
    embedder.encode(["The model is loaded."])
    before, started = memory(), time.perf_counter()
    library = BuiltLibrary(task.folder, embedder)
    seconds = time.perf_counter() - started
    figures = search_figures(library._index, task.questions, built)
    grown = {f"{kind}_mb": memory()[kind] - before[kind] for kind in before}
    return {"load_seconds": seconds, **grown, **figures}


def measure_library(task: Task) -> dict[str, Any]:
    """Build a library and search it, each in a process of its own."""
    built = in_process(build_library, task)
    searched = in_process(search_library, task, built)
    return {"build_seconds": built["build_seconds"], "disk_mb": disk(task.folder), **searched}


def fill_and_search_chroma(task: Task) -> dict[str, Any]:
    """Add the documents to a Chroma server as the page does, and search them."""
    embedder = Embedder()
    source = Source(task, embedder)
    before, started = memory(), time.perf_counter()
    index = Index(chroma_client(task.chroma_url))
    for document, chunks, vectors in source:
        index.add(document.id, chunks, vectors)
    seconds = time.perf_counter() - started - source.seconds
    built = {"nearest": source.nearest.keys, "vectors": source.vectors}
    figures = search_figures(index, task.questions, built)
    server = sum(memory(task.chroma_process).values())
    return {
        "build_seconds": seconds,
        "page_mb": memory()["anonymous"] - before["anonymous"],
        "server_mb": server,
        **figures,
    }


def measure_chroma(task: Task) -> dict[str, Any]:
    """Start a Chroma server, fill and search it."""
    port = free_port()
    program = Path(sys.executable).with_name("chroma")
    if not program.is_file():
        raise SystemExit("error: the chroma command isn't here.\n  Install it: pip install chromadb.")
    command = [str(program), "run", "--path", str(task.folder), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/api/v2/heartbeat")
            url = f"http://127.0.0.1:{port}"
            figures = in_process(fill_and_search_chroma, task, chroma_url=url, chroma_process=server.pid)
        finally:
            server.terminate()
    return {"disk_mb": disk(task.folder), **figures}


def search_figures(index: Index, questions: list[str], built: dict[str, Any]) -> dict[str, float]:
    """Return the times of a search by meaning and of a whole one, and the recall of the first."""
    vectors = index._vectors
    assert vectors is not None
    for question, vector in list(zip(questions, built["vectors"], strict=True))[:3]:
        index.search(question, vector)  # the first searches load what the next ones use
    dense, whole, hit_count = [], [], 0
    for question, vector, nearest in zip(questions, built["vectors"], built["nearest"], strict=True):
        started = time.perf_counter()
        hits = vectors.search(vector, HITS)
        dense.append(time.perf_counter() - started)
        started = time.perf_counter()
        index.search(question, vector)
        whole.append(time.perf_counter() - started)
        best = sorted(hits, key=lambda hit: -hit[1])[:NEAREST]
        hit_count += len({key for key, _ in best} & set(nearest))
    figures = {f"recall_at_{NEAREST}": hit_count / (NEAREST * len(questions))}
    for name, seconds in (("meaning", dense), ("search", whole)):
        cuts = quantiles(seconds, n=20)
        figures |= {f"{name}_p50_ms": cuts[9] * 1000, f"{name}_p95_ms": cuts[18] * 1000}
    return figures


def in_process(work: Callable[..., dict[str, Any]], task: Task, *arguments: Any, **changes: Any) -> dict[str, Any]:
    """Run a part of a measurement in a new process, whose memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, Task(**{**vars(task), **changes}), *arguments).result()


def memory(process: int | str = "self") -> dict[str, float]:
    """Return the memory of a process in MB: its own, and what it has mapped from files."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    kinds = {"anonymous": "RssAnon", "mapped": "RssFile"}
    return {kind: int(lines[name].split()[0]) * 1024 / 1e6 for kind, name in kinds.items()}


def disk(folder: Path) -> float:
    """Return the size of a folder in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def wait_for(url: str, seconds: float = 60.0) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"error: {url} doesn't answer.\n  Start its server by hand, and read what it says.")


WAYS: dict[str, Callable[[Task], dict[str, Any]]] = {"library": measure_library, "chroma": measure_chroma}
COLUMNS = {
    "build_seconds": ("build (s)", "{:.0f}"), "load_seconds": ("load (s)", "{:.1f}"),
    "disk_mb": ("disk (MB)", "{:,.0f}"),
    "anonymous_mb": ("page, own (MB)", "{:,.0f}"), "mapped_mb": ("page, mapped (MB)", "{:,.0f}"),
    "server_mb": ("server (MB)", "{:,.0f}"), "meaning_p50_ms": ("meaning p50 (ms)", "{:.1f}"),
    "meaning_p95_ms": ("p95 (ms)", "{:.1f}"), "search_p50_ms": ("whole search p50 (ms)", "{:.1f}"),
    "search_p95_ms": ("p95 (ms)", "{:.1f}"), f"recall_at_{NEAREST}": (f"recall@{NEAREST}", "{:.3f}"),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--chunks", default="20000,100000,1000000", help="the sizes of the collection")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"{' and '.join(WAYS)} (both)")
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    with (options.directory / "questions_df.csv").open(newline="", encoding="utf-8") as file:
        questions = random.Random(0).sample([row["question"] for row in csv.DictReader(file)], options.questions)
    measurements = {(each["chunks"], each["way"]): each for each in _earlier(options.questions)}
    for count in (int(number) for number in options.chunks.split(",")):
        for way in options.ways.split(","):
            with TemporaryDirectory(prefix="spaceport-large-") as folder:
                figures = WAYS[way](Task(options.directory, Path(folder), count, questions))
            measurements[count, way] = {"way": way, "chunks": count, **figures}
            print(f"{way}, {count:,} chunks: measured", file=sys.stderr)
            ordered = [measurements[key] for key in sorted(measurements)]
            write(NAME, {"questions": options.questions, "measurements": ordered})
    print(table(["chunks", "on", *(title for title, _ in COLUMNS.values())], [_row(each) for each in ordered]))


def _earlier(questions: int) -> list[dict[str, Any]]:
    """Return the measurements in the file of results, if they asked as many questions."""
    file = RESULTS / f"{NAME}.json"
    results = json.loads(file.read_text()) if file.is_file() else {}
    return list(results["measurements"]) if results.get("questions") == questions else []


def _row(figures: dict[str, Any]) -> list[str]:
    values = figures | {"anonymous_mb": figures.get("anonymous_mb", figures.get("page_mb"))}
    cells = ["" if values.get(name) is None else text.format(values[name]) for name, (_, text) in COLUMNS.items()]
    return [f"{figures['chunks']:,}", figures["way"], *cells]


if __name__ == "__main__":
    main()
