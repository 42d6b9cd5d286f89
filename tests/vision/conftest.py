"""A small network trained on digits, in the folder layout of the Hub, and a server with it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.inference.servers import Server, run_server
from vision.digits import train


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the network, which is right for nearly all digits that it didn't learn from."""
    folder = tmp_path_factory.mktemp("digits")
    assert train(folder) > 0.95
    return folder


@pytest.fixture(scope="session")
def server(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("vision"), module="vision", SPACEPORT_MODEL=str(digits)) as server:
        yield server


def digit_picture(digit: int = 7, size: int = 96) -> Image.Image:
    """A picture of one of scikit-learn's digits, one that the network didn't learn from."""
    pixels = (_digit(digit) / 16 * 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR).convert("RGB")


def file_of(picture: Image.Image, name: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture's file."""
    buffer = io.BytesIO()
    picture.save(buffer, name, **options)
    return buffer.getvalue()


@cache
def seven() -> bytes:
    """The file of a picture of the digit 7."""
    return file_of(digit_picture(7))


@cache
def _digit(digit: int) -> np.ndarray:
    from sklearn.datasets import load_digits  # a second, which collecting the tests must not take

    data = load_digits()
    place = next(number for number in range(0, len(data.target), 5) if data.target[number] == digit)
    return np.asarray(data.images[place])
