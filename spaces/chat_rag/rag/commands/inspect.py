"""`python -m rag inspect`: what is in a built library, and whether its files are whole."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict

from rag.library.built.manifest import Manifest, read_data, read_manifest


def run(arguments: argparse.Namespace) -> int:
    """Check the library's files, print what is in it, and return the exit status."""
    manifest = read_manifest(arguments.library)
    read_data(arguments.library, manifest)
    print(json.dumps(asdict(manifest), ensure_ascii=False) if arguments.json else describe(manifest))
    return 0


def describe(manifest: Manifest) -> str:
    """Return lines about a library: first what is missing in it."""
    return "\n".join([*_warnings(manifest), *_facts(manifest)])


def _warnings(manifest: Manifest) -> Iterator[str]:
    for source in manifest.problems:
        yield f"not read: {source.path} ({source.problem.rstrip('.')})"
    first: dict[str, str] = {}
    for source in manifest.sources:
        if source.document and first.setdefault(source.document, source.path) != source.path:
            yield f"the same as {first[source.document]}: {source.path}"


def _facts(manifest: Manifest) -> Iterator[str]:
    yield f"name: {manifest.name}"
    yield f"documents: {manifest.documents:,}"
    yield f"pages: {manifest.pages:,}"
    yield f"characters: {manifest.characters:,}"
    yield f"chunks: {manifest.chunks:,}"
    yield f"model and chunks: {manifest.label}"
    yield f"vectors: int8, {manifest.dimension} numbers; a cosine is off by at most {manifest.largest_error:.4f}"
    yield f"size: {manifest.bytes / 1e6:,.1f} MB{' and the originals' if manifest.originals else ''}"
