"""`python -m rag build`: a library from a folder of documents."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from functools import partial

from rag.inspect_command import describe
from rag.library.built.build import BuildOptions, build_library
from rag.reading.processes.limits import ProcessLimits
from rag.reading.processes.pool import ReaderPool
from rag.search.embedding.embedders import Embedder


def run(arguments: argparse.Namespace) -> int:
    """Build the library, print what is in it, and return the exit status."""
    options = BuildOptions(
        arguments.name or arguments.folder.resolve().name,
        arguments.workers,
        arguments.originals,
        partial(print, file=sys.stderr),
    )
    readers = ReaderPool(options.workers, ProcessLimits.from_environment())
    with closing(readers):
        manifest = build_library(arguments.folder, arguments.out, Embedder(), readers, options)
    print(describe(manifest))
    return 0
