"""How fast a PDF becomes searchable, against a plain loop, and whether memory stays flat over a long one.

    python benchmarks/ingest.py FOLDER [--chunks N] [--rounds 3] [--pages 500,1000,2000]

FOLDER holds PDFs. The plain loop is `model = SentenceTransformer(name)` as it loads, float32 and without any setting,
then `for chunk in chunks: model.encode(chunk)`: its time holds the embedding alone, of chunks that the app has cut.
A harder baseline is `model.encode(chunks)` at once, which makes batches of 32. The app's time holds everything:
reading the PDFs, cutting, embedding, both indexes. All three are measured in turn, in a random order, on the same
chunks, on the clock and by processor time, which other programs disturb less; what the host of a virtual machine
disturbed is measured again. With `--chunks` only the first pages of each PDF are taken, as many as give about that
number: in short files the indexes count for more.

Then: the cosines between the vectors in float32 and in each shorter format; how long a question takes, alone and
beside an upload; and by how much the process grows while a PDF of many pages is added, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
from harness import host
from harness.tables import table, write

from rag.library.ingest import Ingestion
from rag.library.library import CHUNK_OVERLAP, CHUNK_SIZE, Library
from rag.library.quota import Quota
from rag.reading.chunk import chunk_document
from rag.reading.parse import read_document
from rag.search.embedders import Embedder, Model, load
from rag.search.index import search_text
from rag.search.onnx_embedder import OnnxModel
from rag.search.onnx_export import HUB_MODEL, cached_export, packaged_model
from rag.search.torch_embedder import TorchModel

MODEL = packaged_model() or HUB_MODEL
QUESTION = "How much were total net sales in the quarter?"
COMPARED = 200  # chunks whose vectors are compared


def chunk_texts(paths: Sequence[Path]) -> list[str]:
    """What the app embeds of these files."""
    documents = (read_document(path) for path in paths)
    return [
        search_text(chunk)
        for document in documents
        for chunk in chunk_document(document, size=CHUNK_SIZE, overlap=CHUNK_OVERLAP)
    ]


def shortened(source: Path, folder: Path, share: float) -> Path:
    """The first pages of a PDF, as a file of its own."""
    import pypdfium2

    document, cut = pypdfium2.PdfDocument(source), pypdfium2.PdfDocument.new()
    cut.import_pages(document, list(range(max(1, round(share * len(document))))))
    path = folder / source.name
    cut.save(path)
    return path


def long_pdf(sources: Sequence[Path], pages: int, path: Path) -> None:
    """A PDF with as many pages as asked for: those of the sources, over and over."""
    import pypdfium2

    made, documents = pypdfium2.PdfDocument.new(), [pypdfium2.PdfDocument(source) for source in sources]
    while len(made) < pages:
        for document in documents:
            made.import_pages(document, list(range(min(len(document), pages - len(made)))))
    made.save(path)


def added(paths: Sequence[Path], embedder: Embedder) -> None:
    """The app's own way, from PDF to searchable: one file is read while the one before it is embedded."""
    library = Library(embedder)
    ingestion = Ingestion(library)
    with tempfile.TemporaryDirectory() as place:
        ingestion.add(*(Path(shutil.copy(path, place)) for path in paths))
        while ingestion.busy:
            time.sleep(0.01)
    assert len(library.documents) == len(paths)
    assert library.search(QUESTION, embedder.encode([QUESTION])[0])
    library.close()


def in_turn(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds on the clock and of processor time, by way and round, in a random order; the first round is dropped."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name in random.sample(list(ways), len(ways)):
            for _ in range(host.TRIES):
                before, started, used = host.ticks(), time.perf_counter(), time.process_time()
                ways[name]()
                taken = time.perf_counter() - started, time.process_time() - used
                if not host.was_busy(before):
                    break
            if turn:
                seconds[name].append(taken)
    return seconds


def pace(folder: Path, chunks: int, rounds: int, embedder: Embedder) -> dict[str, Any]:
    """Chunks a second by way, and how many times the loop's each is."""
    from sentence_transformers import SentenceTransformer

    sources = sorted(folder.glob("*.pdf"))
    model: Any = SentenceTransformer(MODEL)
    with tempfile.TemporaryDirectory() as place:
        share = min(1.0, chunks / len(chunk_texts(sources)))
        paths = [shortened(source, Path(place), share) for source in sources]
        texts = chunk_texts(paths)
        ways: dict[str, Callable[[], Any]] = {
            "plain loop": lambda: [model.encode(text) for text in texts],
            "one call": lambda: model.encode(texts),
            "app": lambda: added(paths, embedder),
        }
        seconds = in_turn(ways, rounds)
    taken = {name: [median(column) for column in zip(*each, strict=True)] for name, each in seconds.items()}
    loop = taken["plain loop"]
    rows = {
        name: {
            "chunks_a_second": len(texts) / clock,
            "times_the_loop": loop[0] / clock,
            "times_the_loop_by_processor_time": loop[1] / used,
        }
        for name, (clock, used) in taken.items()
    }
    shown = [
        [name, f"{row['chunks_a_second']:.1f}", *(f"{row[key]:.2f}" for key in list(row)[1:])]
        for name, row in rows.items()
    ]
    print(table(["way", "chunks/s", "× the plain loop", "× by processor time"], shown))
    return {"chunks": len(texts), "pages": share, "ways": rows}


def precision(texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """How near the vectors in each shorter format are to those in float32, whatever this processor would choose."""
    exact = vectors(TorchModel(MODEL, half=False), texts)
    models: dict[str, Model] = {"bfloat16": TorchModel(MODEL, half=True)}
    if folder := cached_export():
        models["int8"] = OnnxModel(str(folder), int8=True)
    told = {}
    for name, model in models.items():
        cosines = (exact * vectors(model, texts)).sum(axis=1)
        told[name] = {"mean": float(cosines.mean()), "least": float(cosines.min())}
        print(
            f"\ncosine of {name} to float32 over {len(texts)} chunks: {cosines.mean():.4f}, least {cosines.min():.4f}"
        )
    return told


def vectors(model: Model, texts: Sequence[str]) -> Any:
    tokens, _ = model.tokenise(texts)
    return np.concatenate([model.vectors(tokens, [row]) for row in range(len(texts))])


def questions(texts: Sequence[str], embedder: Embedder, asked: int = 30) -> dict[str, float]:
    """Milliseconds until a question has its vector: alone, and while an upload is embedded."""

    def milliseconds() -> float:
        taken = []
        for _ in range(asked):
            started = time.perf_counter()
            embedder.encode([QUESTION])
            taken.append(1000 * (time.perf_counter() - started))
            time.sleep(0.02)
        return median(taken)

    alone, over = milliseconds(), threading.Event()

    def upload() -> None:
        while not over.is_set():
            embedder.encode(texts)

    thread = threading.Thread(target=upload)
    thread.start()
    beside = milliseconds()
    over.set()
    thread.join()
    print(f"\na question takes {alone:.1f} ms alone, {beside:.1f} ms beside an upload (p50 of {asked})")
    return {"alone_p50_ms": alone, "beside_an_upload_p50_ms": beside}


def growth(path: Path) -> dict[str, float]:
    """Megabytes by which this process grows at most while the PDF is added, beyond what a short one had taken."""
    process, peak, over = psutil.Process(), 0, threading.Event()
    embedder = Embedder()
    library = Library(embedder, quota=Quota(pages=0))
    with tempfile.TemporaryDirectory() as place:
        library.add(shortened(path, Path(place), 0.02))
    before = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.05):
            peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    chunks = library.add(path).chunks
    over.set()
    thread.join()
    return {"chunks": chunks, "megabytes": (peak - before) / 1e6}


def memory(folder: Path, pages: Sequence[int]) -> list[dict[str, float]]:
    """The growth by number of pages."""
    grown = []
    with tempfile.TemporaryDirectory() as place:
        for count in pages:
            path = Path(place) / f"{count}.pdf"
            long_pdf(sorted(folder.glob("*.pdf")), count, path)
            command = [sys.executable, __file__, str(path), "--growth"]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            grown.append({"pages": count, **json.loads(told.splitlines()[-1])})
            path.unlink()
    rows = [[f"{each['pages']:,}", f"{each['chunks']:,}", f"{each['megabytes']:.0f}"] for each in grown]
    print("\n" + table(["pages", "chunks", "grows by MB at most"], rows))
    return grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", default="500,1000,2000", help="of the long PDFs; empty for none")
    parser.add_argument("--growth", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.growth:
        print(json.dumps(growth(options.folder)))
        return
    runtime = type(load(MODEL)).__name__
    print(f"The app embeds with {runtime}.\n")
    embedder = Embedder()
    embedder.warm()
    figures: dict[str, Any] = {"runtime": runtime}
    figures["pace"] = pace(options.folder, options.chunks, options.rounds, embedder)
    texts = chunk_texts(sorted(options.folder.glob("*.pdf")))[: min(options.chunks, COMPARED)]
    figures["cosine_to_float32"] = precision(texts)
    figures["question"] = questions(texts, embedder)
    figures["memory"] = memory(options.folder, [int(count) for count in options.pages.split(",") if count])
    write("ingest", figures)
    met = figures["pace"]["ways"]["app"]["times_the_loop"] >= 3
    print(f"\n{'met   ' if met else 'MISSED'}  the app is at least 3 times as fast as the plain loop")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
