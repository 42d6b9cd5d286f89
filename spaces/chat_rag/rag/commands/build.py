"""`python -m rag build`: a library from a folder of documents."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing, redirect_stdout
from functools import partial

from rag.commands.inspect import describe
from rag.library.built.build import RAY, BuildOptions, build_library
from rag.reading.processes.limits import ProcessLimits
from rag.reading.processes.pool import PROCESSES, ReaderPool
from rag.search.embedding.embedders import Embedder


def run(arguments: argparse.Namespace) -> int:
    """Build the library, print what is in it, and return the exit status."""
    options = BuildOptions(
        arguments.name or arguments.folder.resolve().name,
        arguments.workers,
        arguments.originals,
        partial(print, file=sys.stderr),
    )
    workers = PROCESSES if options.workers == RAY else options.workers
    readers = ReaderPool(workers, ProcessLimits.from_environment())
    # Ray prints what it does about processes that end.
    with closing(readers), redirect_stdout(sys.stderr):
        manifest = build_library(arguments.folder, arguments.out, Embedder(), readers, options)
    print(describe(manifest))
    return 0
