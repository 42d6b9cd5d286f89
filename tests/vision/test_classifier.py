"""The classifier in the process: its model, input, batches and map; and the one behind a server's address."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from backends import Catalog, NotConfigured, Overloaded, Rejected, Unreachable
from backends.__main__ import main
from backends.http.connections import close_connections
from backends.vision import occlusion
from backends.vision.batcher import Batcher
from backends.vision.embedded import EmbeddedClassifier, EmbeddedSettings
from backends.vision.engine import Engine
from backends.vision.model_files import VisionModel, find_model
from backends.vision.preprocessing import Preprocessing
from backends.vision.types import Classifier
from inference.errors import status
from tests.helpers.model_hub import FolderHub
from tests.helpers.servers import serving
from tests.inference.servers import Server
from tests.vision.conftest import digit_picture, file_of, seven

REPOSITORY = "somebody/digits"
# Of microsoft/resnet-50, google/vit-base-patch16-224 and openai/clip-vit-base-patch32; the key is transformers' class.
PREPROCESSORS = {
    "ConvNextImageProcessor": {"crop_pct": 0.875, "resample": 3, "size": {"shortest_edge": 224}},
    "ViTImageProcessor": {"resample": 2, "size": {"height": 224, "width": 224}, "image_mean": [0.5] * 3},
    "CLIPImageProcessor": {
        "do_center_crop": True, "resample": 3,
        "size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224},
    },
}  # fmt: skip


def photo(width: int, height: int) -> Image.Image:
    """A picture with soft edges and noise."""
    noise = np.random.default_rng(3).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("name", PREPROCESSORS)
@pytest.mark.parametrize("size", [(640, 427), (301, 500), (224, 224)])
def test_the_input_is_that_of_transformers(name: str, size: tuple[int, int]) -> None:
    import transformers

    config = PREPROCESSORS[name] | {"image_processor_type": name}
    processor = getattr(transformers, f"{name}Pil", None) or getattr(transformers, name)
    expected = processor(**PREPROCESSORS[name])(photo(*size), return_tensors="np")["pixel_values"][0]
    saved = json.loads(json.dumps(processor(**PREPROCESSORS[name]).to_dict(), default=str))
    for each in (config | {key: saved[key] for key in ("image_mean", "image_std")},):
        actual = Preprocessing.from_config(each).array(photo(*size))
        assert actual.shape == expected.shape
        assert np.abs(actual - expected).max() < 0.02


@pytest.mark.parametrize(
    "config",
    [
        {"size": {"longest_edge": 224}},
        {"size": 224, "include_top": True},
        {"size": 224, "image_mean": "x"},
        {"size": 224, "crop_pct": "x"},
        {},
    ],
    ids=str,
)
def test_a_preprocessor_that_nothing_here_does_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(NotConfigured):
        assert Preprocessing.from_config(config).size


def test_what_is_seen_is_the_middle_of_a_cropped_picture() -> None:
    preprocessing = Preprocessing.from_config(
        PREPROCESSORS["ConvNextImageProcessor"] | {"image_processor_type": "ConvNextFeatureExtractor"}
    )
    left, top, right, bottom = preprocessing.seen((512, 256))
    assert (left, right) == (144 / 512, 368 / 512)
    assert (top, bottom) == (16 / 256, 240 / 256)


async def test_digits_and_the_map_of_what_decided(digits: Path) -> None:
    classifier = EmbeddedClassifier(EmbeddedSettings(model=str(digits)))
    for digit, name in ((0, "zero"), (3, "three"), (7, "seven")):
        result = await classifier.classify(file_of(digit_picture(digit)), top=10)
        assert result.labels[0].name == name
        assert sum(label.probability for label in result.labels) == pytest.approx(1, abs=1e-4)
    inverted = Image.eval(digit_picture(7), lambda value: 255 - value)
    assert (await classifier.classify(file_of(inverted))).labels[0].name == "seven"
    assert (await classifier.classify(seven(), explain=True)).heat_map
    await classifier.aclose()


def test_a_part_that_decides_alone_is_the_warmest() -> None:
    """A network that looks at one corner: the map must show that corner."""
    entry = np.zeros((3, 32, 32), np.float32)
    entry[:, :8, 24:] = 1
    under = np.array([each[:, :8, 24:].mean() for each in occlusion.covered(entry)], np.float32)
    cells = occlusion.importance(1.0, under)
    assert np.unravel_index(cells.argmax(), cells.shape) in ((0, 7), (0, 6), (1, 7))
    assert cells[4:, :4].max() == pytest.approx(0, abs=1e-6)


async def test_what_waits_runs_together_and_who_left_takes_no_place() -> None:
    started, sizes = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    release = threading.Event()

    def run(entries: Any) -> Any:
        loop.call_soon_threadsafe(started.set)
        assert release.wait(60)
        return entries * 2

    batcher = Batcher(run, 4, sizes.append)
    first = asyncio.create_task(batcher.submit(np.array([1.0])))
    await started.wait()
    others = [asyncio.create_task(batcher.submit(np.array([float(number)]))) for number in range(7)]
    await asyncio.sleep(0)
    others[2].cancel()
    release.set()
    assert (await first)[0] == 2
    rows = await asyncio.gather(*others, return_exceptions=True)
    assert [None if isinstance(row, BaseException) else float(row[0]) for row in rows] == [0, 2, None, 6, 8, 10, 12]
    assert sizes == [1, 4, 2]
    batcher.close()


async def test_a_batch_that_fails_fails_for_its_callers_alone() -> None:
    def run(entries: Any) -> Any:
        if entries.max() > 1:
            raise RuntimeError("no memory")
        return entries

    batcher = Batcher(run, 1)
    results = await asyncio.gather(
        *(batcher.submit(np.array([value])) for value in (0.0, 2.0, 1.0)), return_exceptions=True
    )
    assert [type(result).__name__ for result in results] == ["ndarray", "RuntimeError", "ndarray"]
    batcher.close()


def failing(text: str) -> Exception:
    """An error as onnxruntime raises it."""
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    return RuntimeException(f"[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : {text}")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        failing("Non-zero status code returned while running Conv node. Status Message: std::bad_alloc"),
        failing("bfc_arena.cc:359 Failed to allocate memory for requested buffer of size 4294967296"),
        failing("CUDA failure 2: out of memory ; GPU=0"),
        OSError("out of memory error when reading image file"),
    ],
    ids=["Python", "C++", "arena", "CUDA", "Pillow"],
)
@pytest.mark.parametrize("step", ["decode", "turn", "run", "draw"])
async def test_without_memory_the_answer_is_503_and_the_next_one_works(
    digits: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, step: str
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise error

    classifier, picture = EmbeddedClassifier(EmbeddedSettings(model=str(digits))), seven()
    await classifier.load()
    places = {
        "decode": (Image.Image, "convert"),
        "turn": (ImageOps, "exif_transpose"),
        "run": (Engine, "_run"),
        "draw": (occlusion, "draw"),
    }
    with monkeypatch.context() as context, pytest.raises(Overloaded, match="no memory left") as caught:
        context.setattr(*places[step], fail)
        await classifier.classify(picture, explain=True)
    assert status(caught.value) == 503
    assert caught.value.remedy
    assert (await classifier.classify(picture)).labels[0].name == "seven"
    await classifier.aclose()


async def test_another_error_of_the_network_stays_what_it_is(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = EmbeddedClassifier(EmbeddedSettings(model=str(digits)))
    await classifier.load()

    def fail(*_: object) -> Any:
        raise failing("Got invalid dimensions for input")

    monkeypatch.setattr(Engine, "_run", fail)
    with pytest.raises(Exception, match="invalid dimensions"):
        await classifier.classify(seven())
    await classifier.aclose()


def test_a_network_that_doesnt_fit_into_the_memory_is_said(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise failing("std::bad_alloc")

    monkeypatch.setattr(Engine, "_run", fail)
    with pytest.raises(NotConfigured, match="not enough memory for the network"):
        Engine(find_model(str(digits)), 1)


def changed(digits: Path, folder: Path, file: str, **values: Any) -> str:
    """A copy of the model with other values in a file."""
    shutil.copytree(digits, folder, dirs_exist_ok=True)
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return str(folder)


def test_a_model_that_does_not_fit_is_refused_with_the_reason(digits: Path, tmp_path: Path) -> None:
    def message(model: str) -> str:
        with pytest.raises(NotConfigured) as caught:
            Engine(find_model(model), 1)
        return str(caught.value)

    three = changed(digits, tmp_path / "three", "config.json", id2label={"0": "a", "1": "b", "2": "c"})
    assert "for 3 labels" in message(three)
    large = changed(digits, tmp_path / "large", "preprocessor_config.json", size={"height": 32, "width": 32})
    assert "makes (32, 32) of a picture" in message(large)
    shutil.copytree(digits, tmp_path / "broken")
    (tmp_path / "broken/onnx/model.onnx").write_bytes(b"no network")
    assert "can't be loaded" in message(str(tmp_path / "broken"))
    (tmp_path / "broken/config.json").write_text("[")
    assert "config.json can't be read" in message(str(tmp_path / "broken"))
    assert "There is no folder" in message("./nowhere")
    unnamed = find_model(changed(digits, tmp_path / "unnamed", "config.json", id2label=None))
    assert Engine(unnamed, 1).labels[-1] == "LABEL_9"


async def test_several_labels_have_shares_of_their_own(digits: Path, tmp_path: Path) -> None:
    model = changed(digits, tmp_path / "several", "config.json", problem_type="multi_label_classification")
    classifier = EmbeddedClassifier(EmbeddedSettings(model=model))
    result = await classifier.classify(seven(), top=10)
    assert sum(label.probability for label in result.labels) != pytest.approx(1, abs=1e-3)
    await classifier.aclose()


# The Hub


@pytest.fixture
def hub(digits: Path) -> Iterator[FolderHub]:
    with serving(FolderHub(REPOSITORY, digits)) as hub:
        yield hub


def download(hub: FolderHub, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "vision", "download", *arguments]
    return subprocess.run(command, env=os.environ | settings | {"HF_HUB_OFFLINE": "0"}, capture_output=True, text=True)


def test_a_model_of_the_hub_is_downloaded_once(hub: FolderHub, digits: Path, tmp_path: Path) -> None:
    process = download(hub, tmp_path / "home", str(tmp_path / "copy"), REPOSITORY)
    assert process.returncode == 0, process.stderr
    for name in ("config.json", "preprocessor_config.json", "onnx/model.onnx"):
        assert (tmp_path / "copy" / name).read_bytes() == (digits / name).read_bytes()
    asked = len(hub.requests)
    again = download(hub, tmp_path / "home", str(tmp_path / "again"), f"{REPOSITORY}/onnx/model.onnx")
    assert again.returncode == 0, again.stderr
    assert len(hub.requests) == asked
    missing = download(hub, tmp_path / "home", str(tmp_path / "copy"), "somebody/else")
    assert missing.returncode == 1
    assert "somebody/else can't be listed on the Hub" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_another_network_is_downloaded_beside_the_first(digits: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(digits, tmp_path / "repository"))
    shutil.copyfile(folder / "onnx" / "model.onnx", folder / "onnx" / "model_quantized.onnx")
    with serving(FolderHub(REPOSITORY, folder)) as hub:
        for network in ("", "/onnx/model_quantized.onnx"):
            process = download(hub, tmp_path / "home", str(tmp_path / "copy"), f"{REPOSITORY}{network}")
            assert process.returncode == 0, process.stderr
    assert (tmp_path / "copy" / "onnx" / "model_quantized.onnx").is_file()


# Behind a server


def target(url: str, **settings: str) -> Classifier:
    entry = {"kind": "backends.vision.server", "task": "classify", "url": url, **settings}
    classifier = Catalog({"server": entry}, source="test").connect("server")
    assert isinstance(classifier, Classifier)
    return classifier


async def test_a_server_answers_as_the_classifier_in_the_process_does(server: Server, digits: Path) -> None:
    remote, local = target(server.url), EmbeddedClassifier(EmbeddedSettings(model=str(digits)))
    assert (await remote.check()).model == digits.name
    first, second = await remote.classify(seven(), explain=True), await local.classify(seven(), explain=True)
    assert [label.name for label in first.labels] == [label.name for label in second.labels]
    assert first.heat_map == second.heat_map
    with pytest.raises(Rejected, match="The file is a PDF"):
        await remote.classify(b"%PDF-1.7")
    with pytest.raises(NotConfigured, match="doesn't chat"):
        async for _ in remote.stream(None):  # type: ignore[arg-type]
            pass
    await local.aclose()
    await close_connections()


def test_the_command_line_checks_a_classifier(
    server: Server, digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = tmp_path / "backends.toml"
    catalog.write_text(
        f'[server]\nkind = "backends.vision.server"\ntask = "classify"\nurl = "{server.url}"\n'
        f'[own]\nkind = "backends.vision.embedded"\ntask = "classify"\nmodel = "{digits}"\n'
    )
    for name in ("server", "own"):
        assert main(["check", name, "--catalog", str(catalog)]) == 0
        assert capsys.readouterr().out == f"{name}: {digits.name} classifies pictures\n"


async def test_what_is_no_vision_server_is_said() -> None:
    with pytest.raises(Unreachable, match="not answering"):
        await target("http://127.0.0.1:9").classify(seven())
    with pytest.raises(NotConfigured, match="not a URL"):
        target("server:8080")
    await close_connections()


def test_a_model_has_what_it_needs(digits: Path) -> None:
    model = find_model(str(digits))
    assert isinstance(model, VisionModel)
    assert model.labels[:3] == ("zero", "one", "two")
    assert model.preprocessing.size == (24, 24)
