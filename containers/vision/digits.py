"""A small ResNet that reads digits, trained in seconds on scikit-learn's pictures: for tests and for a page offline.

The folder has the files that a repository of the Hub has for ResNet-50, exported in the same way.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.settings import require_package
from backends.vision.model_files import CONFIG, NETWORKS, PREPROCESSOR

if TYPE_CHECKING:
    from torch import Tensor

SIZE = 24  # pixels
EPOCHS, BATCH, LEARNING_RATE = 4, 32, 0.01
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


def train(folder: Path) -> float:
    """Train and export the network; return the share of right answers for digits that it didn't learn from."""
    for package in ("torch", "transformers", "sklearn", "onnx"):
        require_package(package, extra="demo")
    import torch

    torch.manual_seed(7)
    pictures, labels = _digits()
    test = torch.arange(len(labels)) % 5 == 0
    network = _network()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # for so small a network several wait for each other: two take four times the CPU time
    _learn(network, pictures[~test], labels[~test])
    torch.set_num_threads(threads)
    with torch.no_grad():
        right = network(pictures[test]).logits.argmax(1) == labels[test]
    export(network, folder, SIZE, {"size": {"height": SIZE, "width": SIZE}, "image_mean": MEAN, "image_std": STD})
    return float(right.float().mean())


def _digits() -> tuple[Tensor, Tensor]:
    """Return scikit-learn's 1,797 digits as inputs, white on black, and what they are."""
    import torch
    from sklearn.datasets import load_digits

    data = load_digits()
    pictures = torch.from_numpy(data.images).float()[:, None] / 16
    pictures = torch.nn.functional.interpolate(pictures, size=(SIZE, SIZE), mode="bilinear")
    return (pictures.expand(-1, 3, -1, -1) - MEAN[0]) / STD[0], torch.from_numpy(data.target)


def _network() -> Any:
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        embedding_size=16, hidden_sizes=[32, 64], depths=[1, 1], layer_type="basic", num_labels=len(NAMES),
        id2label=dict(enumerate(NAMES)), label2id={name: number for number, name in enumerate(NAMES)},
    )  # fmt: skip
    return ResNetForImageClassification(config)


def _learn(network: Any, pictures: Tensor, labels: Tensor) -> None:
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    steps = EPOCHS * -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    network.train()
    for _ in range(EPOCHS):
        for places in torch.randperm(len(labels)).split(BATCH):
            sign = torch.randint(0, 2, (len(places), 1, 1, 1)) * 2 - 1  # half of them black on white
            loss = torch.nn.functional.cross_entropy(network(pictures[places] * sign).logits, labels[places])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()


def export(network: Any, folder: Path, size: int, preprocessor: dict[str, Any]) -> None:
    """Write a transformers classifier as the Hub's repositories with an ONNX export have it."""
    import torch

    target = folder / NETWORKS[0]
    target.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # torch's new exporter needs onnxscript; this one warns that it is deprecated.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _logits(network),
            (torch.zeros(1, 3, size, size),),
            str(target),
            input_names=["pixel_values"],
            output_names=["logits"],
            dynamic_axes={"pixel_values": {0: "batch_size"}, "logits": {0: "batch_size"}},
            opset_version=17,
            dynamo=False,
        )
    (folder / CONFIG).write_text(json.dumps(network.config.to_dict(), indent=1))
    (folder / PREPROCESSOR).write_text(json.dumps({"do_resize": True, "resample": 2} | preprocessor, indent=1))


def _logits(network: Any) -> Any:
    """Return the network with its outputs alone, as the exporter wants them."""
    import torch

    class Logits(torch.nn.Module):  # type: ignore[misc]  # mypy doesn't follow the imports of torch
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixel_values: Any) -> Any:
            return self.network(pixel_values).logits

    return Logits().eval()
