"""`embed` and `rerank`: the vectors of texts, and how well texts fit a query."""

from __future__ import annotations

import argparse
import json
from contextlib import aclosing
from typing import Any

from backends.catalog import Catalog
from backends.commands.terminal import printable
from backends.stopwatch import now
from backends.vectors.targets import connect_embeddings, connect_reranking


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add `embed` and `rerank` to the commands of python -m backends."""
    embed = commands.add_parser("embed", parents=[common], help="print the vector of each text as a line of JSON")
    embed.add_argument("name", help="the target")
    embed.add_argument("texts", nargs="+", metavar="text")
    embed.set_defaults(command=_embed)
    rerank = commands.add_parser("rerank", parents=[common], help="score texts for a query, the best first")
    rerank.add_argument("name", help="the target")
    rerank.add_argument("query")
    rerank.add_argument("texts", nargs="+", metavar="text")
    rerank.set_defaults(command=_rerank)


async def check_task(catalog: Catalog, name: str, task: str) -> str:
    """Embed or rerank one text and return a line about it."""
    start = now()
    if task == "embed":
        async with aclosing(connect_embeddings(catalog, name)) as backend:
            [vector] = (await backend.embed(["Hello"])).vectors
        return f"{name}: vectors of {len(vector)} numbers; one text in {now() - start:.3f} s"
    async with aclosing(connect_reranking(catalog, name)) as reranker:
        [score] = await reranker.rerank("Hello", ["Hello"])
    return f"{name}: one text in {now() - start:.3f} s, score {score:g}"


async def _embed(options: argparse.Namespace) -> int:
    async with aclosing(connect_embeddings(Catalog.load(options.catalog), options.name)) as backend:
        for vector in (await backend.embed(options.texts)).vectors:
            print(json.dumps([round(value, 6) for value in vector]))
    return 0


async def _rerank(options: argparse.Namespace) -> int:
    async with aclosing(connect_reranking(Catalog.load(options.catalog), options.name)) as backend:
        scores = await backend.rerank(options.query, options.texts)
    for score, text in sorted(zip(scores, options.texts, strict=True), reverse=True):
        print(f"{score:.4f}  {printable(text)}")
    return 0
