"""The reader of model files returns what the package gguf reads, and reads a file once during a load."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from backends.local_models.gguf_reader import read_gguf, shared_readers


@pytest.fixture
def file(tmp_path: Path) -> Path:
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_array("tokenizer.ggml.tokens", ["<s>", "Größe", "🚀"])
    writer.add_float32("llama.rope.freq_base", 10_000.0)
    writer.add_tensor("weight", np.arange(64, dtype=np.float32).reshape(8, 8))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "a.gguf"


def test_a_file_has_the_fields_and_weights_that_the_package_reads(file: Path) -> None:
    own, theirs = read_gguf(file), gguf.GGUFReader(file)
    assert {name: field.contents() for name, field in own.fields.items()} == {
        name: field.contents() for name, field in theirs.fields.items()
    }
    [weight], [same] = own.tensors, theirs.tensors
    assert (weight.name, weight.tensor_type) == (same.name, same.tensor_type)
    assert np.array_equal(weight.data, same.data)


def test_a_file_is_read_and_its_names_are_mapped_once_during_a_load(file: Path) -> None:
    originals = gguf.GGUFReader, gguf.get_tensor_name_map
    with pytest.raises(ValueError, match="in between"), shared_readers():
        assert gguf.GGUFReader(str(file)) is gguf.GGUFReader(str(file))
        llama = gguf.MODEL_ARCH.LLAMA
        assert gguf.get_tensor_name_map(llama, 2) is gguf.get_tensor_name_map(llama, 2)
        raise ValueError("in between")
    assert (gguf.GGUFReader, gguf.get_tensor_name_map) == originals
