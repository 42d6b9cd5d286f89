"""Imports the image's packages after the build removed parts of them, and leaves their bytecode in the image."""

from __future__ import annotations

import importlib

# Imported by the apps, at startup or on first use.
MODULES = (
    "chardet",
    "chromadb.api.fastapi",  # the client of a Chroma server
    "genai_prices",
    "gradio",
    "httpx2",
    "huggingface_hub",
    "lxml.html",
    "markitdown",
    "numpy",
    "ollama",
    "onnxruntime",
    "plotly.graph_objects",
    "plotly.offline",
    "pydantic",
    "pypdfium2",
    "scipy.stats",
    "semantic_text_splitter",
    "Stemmer",
    "tokenizers",
    "xllamacpp",
)


def main() -> None:
    """Import every module, and run a query in Chroma."""
    for name in MODULES:
        importlib.import_module(name)
    import chromadb
    from chromadb.config import Settings

    client = chromadb.EphemeralClient(settings=Settings(anonymized_telemetry=False))
    collection = client.create_collection("test", embedding_function=None)
    collection.add(ids=["one"], embeddings=[[1.0, 0.0]])
    assert collection.query(query_embeddings=[[1.0, 0.0]], n_results=1)["ids"] == [["one"]]  # noqa: S101


if __name__ == "__main__":
    main()
