"""Finds a classifier's files: in a folder, or in a repository of the Hub, downloaded once into the Hub's cache."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.errors import NotConfigured
from backends.streams import ProgressCallback
from backends.vision.preprocessing import Preprocessing

DEFAULT_MODEL = "Xenova/resnet-50"  # 102 MB
CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
# Where exports have the network, best first: Transformers.js's and Optimum's repositories, then a folder of its own.
NETWORKS = ("onnx/model.onnx", "model.onnx")
MAX_CONFIG_BYTES = 10_000_000  # ImageNet's 21,841 labels have 1.5 MB


@dataclass(frozen=True, slots=True)
class VisionModel:
    """A network in a file, the labels of its outputs in order, and how a picture becomes its input.

    `one_label` is false if a picture can show several of the labels.
    """

    name: str
    network: Path
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    one_label: bool = True


def find_model(model: str, report: ProgressCallback | None = None) -> VisionModel:
    """Return the model of a folder, or of a repository on the Hub, which is downloaded unless it's in the cache.

    The network of a repository can be named too: owner/repository/onnx/model_quantized.onnx. `NotConfigured` says what
    is missing.
    """
    folder = Path(model)
    if folder.is_dir():
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        return _read(folder.name, "", files, lambda name: folder / name)
    owner, _, rest = model.removeprefix("hf:").partition("/")
    name, _, network = rest.partition("/")
    if not owner or not name or model.startswith((".", "/")):
        raise NotConfigured(
            f"There is no folder {model}.", "Name one with config.json and model.onnx, or a repository: owner/name."
        )
    repository = f"{owner}/{name}"
    return _read(name, network, _listing(repository, network), lambda file: _download(repository, file, report))


def copy_model(model: str, folder: Path) -> None:
    """Copy the files of a model to a folder, which `find_model` takes then; downloads them if it must."""
    files = find_model(model)
    # In the Hub's cache, the network may lie in a folder of its repository, which has the two others.
    source = next(parent for parent in files.network.parents if (parent / CONFIG).is_file())
    for path in (source / CONFIG, source / PREPROCESSOR, *files.network.parent.glob(f"{files.network.name}*")):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _read(name: str, network: str, files: Collection[str], fetch: Callable[[str], Path]) -> VisionModel:
    for needed in (CONFIG, PREPROCESSOR):
        if needed not in files:
            raise _missing(name, needed)
    network = network or next((each for each in NETWORKS if each in files), "")
    if network not in files:
        raise _missing(name, network or NETWORKS[0])
    config, preprocessing = (_json(fetch(each)) for each in (CONFIG, PREPROCESSOR))
    if f"{network}_data" in files:  # the weights of a large network
        fetch(f"{network}_data")
    one_label = config.get("problem_type") != "multi_label_classification"
    return VisionModel(
        name, fetch(network), _labels(config), Preprocessing.from_config(preprocessing), one_label=one_label
    )


def _labels(config: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the outputs in order; without names there are none."""
    names = config.get("id2label")
    if not isinstance(names, dict):
        return ()
    try:
        return tuple(str(names[key]) for key in sorted(names, key=int))
    except ValueError as error:
        raise NotConfigured("id2label in the model's config.json has a key that isn't a number.", "Fix it.") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError("it is too large")
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise ValueError("it isn't an object")  # noqa: TRY004 - one kind of error for all of them
    except (OSError, ValueError, RecursionError) as error:
        raise NotConfigured(
            f"The model's {path.name} can't be read ({error}).", "Download or export it again."
        ) from error
    return value


def _listing(repository: str, network: str) -> set[str]:
    """Return the files of a repository: from the cache if all are in there, or else from the Hub."""
    from backends.local_models.hub import cached_file, list_files

    networks = (network,) if network else NETWORKS
    names = (CONFIG, PREPROCESSOR, *networks, *(f"{each}_data" for each in networks))
    cached = {name for name in names if cached_file(repository, name)}
    is_complete = {CONFIG, PREPROCESSOR} <= cached and not cached.isdisjoint(networks)
    return cached if is_complete else list_files(repository)


def _download(repository: str, file: str, report: ProgressCallback | None) -> Path:
    from backends.local_models.hub import cached_file, download_file

    remedy = "Check the network, the name and the free disk, or set model to a folder on this machine."
    return cached_file(repository, file) or download_file(repository, file, report, remedy=remedy)


def _missing(name: str, file: str) -> NotConfigured:
    return NotConfigured(
        f"{name} has no {file}.",
        "Choose a model with an ONNX export and its preprocessor_config.json, such as Xenova/resnet-50.",
    )
