"""Speed from PDF to searchable chunks, compared with a plain loop, and memory use for long PDFs.

    python benchmarks/reading/ingest.py FOLDER [--chunks N] [--rounds 3] [--pages 500,1000,2000]

FOLDER has PDFs. The plain loop is `model = SentenceTransformer(name)` with its defaults, in float32, then
`for chunk in chunks: model.encode(chunk)`: its time is the embedding alone, of the app's chunks. A harder baseline is
`model.encode(chunks)` in one call, which makes batches of 32. The app's time is everything: reading the PDFs, chunking,
embedding, both indexes. All three are measured one after the other, in random order, on the same chunks, on the clock
and in CPU time, which other programs affect less. A measurement is repeated if the host of a virtual machine was busy.
With `--chunks`, only the first pages of each PDF are used, enough for about that many chunks: with short files, the
indexes have a larger share.

The benchmark also prints the cosines between the vectors in float32 and in each shorter format, the time of a question
alone and during an upload, and the memory growth while a PDF of many pages is added, in one process per PDF.
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

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness import host
from harness.tables import table, write

from rag.library.document_chunks import CHUNK_OVERLAP, CHUNK_SIZE
from rag.library.ingest import Ingestion
from rag.library.library import Library
from rag.library.quota import Quota
from rag.reading.chunk import chunk_document
from rag.reading.parse import read_document
from rag.search.embedding.embedders import Embedder, Model, load
from rag.search.embedding.onnx_embedder import OnnxModel
from rag.search.embedding.onnx_export import HUB_MODEL, cached_export, packaged_model
from rag.search.embedding.torch_embedder import TorchModel
from rag.search.index import search_text

MODEL = packaged_model() or HUB_MODEL
QUESTION = "How much were total net sales in the quarter?"
COMPARED = 200  # number of chunks whose vectors are compared


def chunk_texts(paths: Sequence[Path]) -> list[str]:
    """Return the texts that the app embeds for these files."""
    documents = (read_document(path) for path in paths)
    return [
        search_text(chunk)
        for document in documents
        for chunk in chunk_document(document, size=CHUNK_SIZE, overlap=CHUNK_OVERLAP)
    ]


def first_pages(source: Path, folder: Path, share: float) -> Path:
    """Write the first pages of a PDF to a new file."""
    import pypdfium2

    document, excerpt = pypdfium2.PdfDocument(source), pypdfium2.PdfDocument.new()
    excerpt.import_pages(document, list(range(max(1, round(share * len(document))))))
    path = folder / source.name
    excerpt.save(path)
    return path


def long_pdf(sources: Sequence[Path], pages: int, path: Path) -> None:
    """Write a PDF that repeats the pages of the sources up to the given number of pages."""
    import pypdfium2

    target, documents = pypdfium2.PdfDocument.new(), [pypdfium2.PdfDocument(source) for source in sources]
    while len(target) < pages:
        for document in documents:
            target.import_pages(document, list(range(min(len(document), pages - len(target)))))
    target.save(path)


def add_with_app(paths: Sequence[Path], embedder: Embedder) -> None:
    """Add the files as the app does: one file is read while the previous one is embedded."""
    library = Library(embedder)
    ingestion = Ingestion(library)
    with tempfile.TemporaryDirectory() as folder:
        ingestion.add(*(Path(shutil.copy(path, folder)) for path in paths))
        while ingestion.busy:
            time.sleep(0.01)
    assert len(library.documents) == len(paths)
    assert library.search(QUESTION, embedder.encode([QUESTION])[0])
    library.close()


def interleave(methods: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Return clock and CPU seconds by method and round, in random order; the first round warms up."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for turn in range(rounds + 1):
        for name in random.sample(list(methods), len(methods)):
            for _ in range(host.TRIES):
                before, clock, cpu = host.ticks(), time.perf_counter(), host.cpu_seconds()
                methods[name]()
                sample = time.perf_counter() - clock, host.cpu_seconds() - cpu
                if not host.was_busy(before):
                    break
            if turn:
                seconds[name].append(sample)
    return seconds


def speed(folder: Path, chunks: int, rounds: int, embedder: Embedder) -> dict[str, Any]:
    """Return the chunks per second of each method, and the factor to the plain loop."""
    from sentence_transformers import SentenceTransformer

    sources = sorted(folder.glob("*.pdf"))
    model: Any = SentenceTransformer(MODEL)
    with tempfile.TemporaryDirectory() as place:
        share = min(1.0, chunks / len(chunk_texts(sources)))
        paths = [first_pages(source, Path(place), share) for source in sources]
        texts = chunk_texts(paths)
        methods: dict[str, Callable[[], Any]] = {
            "plain loop": lambda: [model.encode(text) for text in texts],
            "one call": lambda: model.encode(texts),
            "app": lambda: add_with_app(paths, embedder),
        }
        seconds = interleave(methods, rounds)
    medians = {name: [median(column) for column in zip(*samples, strict=True)] for name, samples in seconds.items()}
    loop_clock, loop_cpu = medians["plain loop"]
    rows = {
        name: {
            "chunks_a_second": len(texts) / clock,
            "times_the_loop": loop_clock / clock,
            "times_the_loop_by_processor_time": loop_cpu / cpu,
        }
        for name, (clock, cpu) in medians.items()
    }
    cells = [
        [name, f"{row['chunks_a_second']:.1f}", *(f"{row[key]:.2f}" for key in list(row)[1:])]
        for name, row in rows.items()
    ]
    print(table(["method", "chunks/s", "× the plain loop", "× in CPU time"], cells))
    return {"chunks": len(texts), "pages": share, "ways": rows}


def precision(texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the cosines of the vectors in each shorter format to those in float32, on any processor."""
    exact = vectors(TorchModel(MODEL, half=False), texts)
    models: dict[str, Model] = {"bfloat16": TorchModel(MODEL, half=True)}
    if folder := cached_export():
        models["int8"] = OnnxModel(str(folder), int8=True)
    figures = {}
    for name, model in models.items():
        cosines = (exact * vectors(model, texts)).sum(axis=1)
        figures[name] = {"mean": float(cosines.mean()), "least": float(cosines.min())}
        print(
            f"\ncosine of {name} to float32 over {len(texts)} chunks: {cosines.mean():.4f}, lowest {cosines.min():.4f}"
        )
    return figures


def vectors(model: Model, texts: Sequence[str]) -> Any:
    tokens, _ = model.tokenise(texts)
    return np.concatenate([model.vectors(tokens, [row]) for row in range(len(texts))])


def questions(texts: Sequence[str], embedder: Embedder, count: int = 30) -> dict[str, float]:
    """Return the milliseconds until a question has its vector: alone, and during an upload."""

    def milliseconds() -> float:
        samples = []
        for _ in range(count):
            started = time.perf_counter()
            embedder.encode([QUESTION])
            samples.append(1000 * (time.perf_counter() - started))
            time.sleep(0.02)
        return median(samples)

    alone, done = milliseconds(), threading.Event()

    def upload() -> None:
        while not done.is_set():
            embedder.encode(texts)

    thread = threading.Thread(target=upload)
    thread.start()
    during_upload = milliseconds()
    done.set()
    thread.join()
    print(f"\na question takes {alone:.1f} ms alone, {during_upload:.1f} ms during an upload (p50 of {count})")
    return {"alone_p50_ms": alone, "beside_an_upload_p50_ms": during_upload}


def growth(path: Path) -> dict[str, float]:
    """Return the megabytes by which this process grows at most while the PDF is added, after a short one."""
    process, peak, done = psutil.Process(), 0, threading.Event()
    embedder = Embedder()
    library = Library(embedder, quota=Quota(pages=0))
    with tempfile.TemporaryDirectory() as place:
        library.add(first_pages(path, Path(place), 0.02))
    before = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    chunks = library.add(path).chunks
    done.set()
    thread.join()
    return {"chunks": chunks, "megabytes": (peak - before) / 1e6}


def memory(folder: Path, pages: Sequence[int]) -> list[dict[str, float]]:
    """Return the memory growth for each number of pages."""
    figures = []
    with tempfile.TemporaryDirectory() as place:
        for count in pages:
            path = Path(place) / f"{count}.pdf"
            long_pdf(sorted(folder.glob("*.pdf")), count, path)
            command = [sys.executable, __file__, str(path), "--growth"]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            figures.append({"pages": count, **json.loads(output.splitlines()[-1])})
            path.unlink()
    rows = [[f"{row['pages']:,}", f"{row['chunks']:,}", f"{row['megabytes']:.0f}"] for row in figures]
    print("\n" + table(["pages", "chunks", "memory growth (MB)"], rows))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", default="500,1000,2000", help="the lengths of the long PDFs; empty for none")
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
    figures["pace"] = speed(options.folder, options.chunks, options.rounds, embedder)
    texts = chunk_texts(sorted(options.folder.glob("*.pdf")))[: min(options.chunks, COMPARED)]
    figures["cosine_to_float32"] = precision(texts)
    figures["question"] = questions(texts, embedder)
    figures["memory"] = memory(options.folder, [int(count) for count in options.pages.split(",") if count])
    write("ingest", figures)
    is_met = figures["pace"]["ways"]["app"]["times_the_loop"] >= 3
    print(f"\n{'met   ' if is_met else 'MISSED'}  the app is at least 3 times as fast as the plain loop")
    sys.exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
