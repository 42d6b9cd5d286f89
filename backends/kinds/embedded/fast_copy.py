"""A copy of the packaged model in a format that llama.cpp reads prompts of 1.5 times as fast.

The package has its weights in Q4_1, for which llama.cpp has no fast kernels. In Q8_0 the same weights take 145 MB
instead of 98, and the perplexity on this project's documents is the same: 56.7. In Q4_0 it is 70.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from backends.local_models.gguf_reader import read_gguf

_log = logging.getLogger(__name__)


def fast_copy(path: Path) -> Path:
    """Return the copy of a model file in the user's cache; the first call makes it, in about five seconds.

    Return `path` itself if the package gguf isn't installed or the copy can't be stored.
    """
    if importlib.util.find_spec("gguf") is None:
        return path
    # The name changes with the file and with this one.
    version = hashlib.sha256(Path(__file__).read_bytes() + _identity(path)).hexdigest()[:16]
    copy = _cache_folder() / version / f"{path.stem.removesuffix('.Q4_1')}.Q8_0.gguf"
    if _is_intact(copy):
        return copy
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=copy.parent, prefix="copy-") as folder:
            place = Path(folder) / copy.name
            _quantize(path, place)
            _checksum_file(place).write_text(_checksum(place))
            _checksum_file(place).replace(_checksum_file(copy))
            place.replace(copy)
    except OSError as error:
        _log.warning("The packaged model reads prompts more slowly: its copy can't be stored (%s).", error.strerror)
        return path
    return copy


def _quantize(source: Path, target: Path) -> None:
    """Write the model again, its tensors of Q4_1 as Q8_0."""
    import gguf
    from gguf.quants import dequantize, quantize

    old, new = gguf.GGMLQuantizationType.Q4_1, gguf.GGMLQuantizationType.Q8_0
    reader = read_gguf(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name == "general.file_type":
            writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
        elif name != "general.architecture" and not name.startswith("GGUF."):
            kind = field.types[0]
            writer.add_key_value(name, field.contents(), kind, field.types[-1] if len(field.types) > 1 else None)
    for tensor in reader.tensors:
        if tensor.tensor_type == old:
            writer.add_tensor(tensor.name, quantize(dequantize(tensor.data, old), new), raw_dtype=new)
        else:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _identity(path: Path) -> bytes:
    """Return what tells one model file from another: a checksum of 98 MB would delay each start."""
    status = path.stat()
    with path.open("rb") as stream:
        return f"{path.name} {status.st_size} ".encode() + stream.read(65536)


def _is_intact(copy: Path) -> bool:
    """Return whether a copy is complete and unchanged."""
    try:
        return _checksum_file(copy).read_text() == _checksum(copy)
    except OSError:
        return False


def _checksum_file(copy: Path) -> Path:
    return copy.with_suffix(".sha256")


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME") or Path.home()) / ".cache"
    return Path(home) / "spaceport" / "models"
