"""Where the model comes from: a name, a bucket, a mounted folder or the image; and the number of slot_count."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backends import NotConfigured
from inference.model_source.cloud_storage import download
from inference.model_source.served_model import catalog_entry, connect_embedding_model, find_model, slot_count
from inference.settings import Settings
from tests.helpers.servers import serving
from tests.inference.bucket import Bucket


def make_files(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).touch()
    return path


@contextmanager
def bucket_environment(bucket: Bucket, cache: Path) -> Iterator[None]:
    """Set the environment variables that name the bucket."""
    before, variables = dict(os.environ), bucket.environment("", cache)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name)
        os.environ.update(before)


def test_without_a_name_or_a_mount_the_model_of_the_image_is_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert find_model(Settings(), [tmp_path / "absent", tmp_path / "empty"]) is None
    assert "model" not in catalog_entry(Settings(), [])


def test_first_folder_with_files_is_used(tmp_path: Path) -> None:
    folders = [tmp_path / "empty", make_files(tmp_path / "a", "deep/er/m.gguf"), make_files(tmp_path / "b", "n.gguf")]
    assert find_model(Settings(), folders) == str(tmp_path / "a" / "deep" / "er" / "m.gguf")


def test_name_takes_precedence_over_mounts(tmp_path: Path) -> None:
    mounts = [make_files(tmp_path / "a", "m.gguf")]
    assert find_model(Settings(model="hf:o/r/f.gguf"), mounts) == "hf:o/r/f.gguf"
    assert find_model(Settings(model="/x/y.gguf"), mounts) == "/x/y.gguf"
    folder = make_files(tmp_path / "b", "n.gguf")
    assert find_model(Settings(model=str(folder)), mounts) == str(folder / "n.gguf")
    assert find_model(Settings(storage_uri=f"file://{folder}"), mounts) == str(folder / "n.gguf")
    assert find_model(Settings(storage_uri=str(folder)), mounts) == str(folder / "n.gguf")


def test_split_model_is_identified_by_its_first_part(tmp_path: Path) -> None:
    parts = [f"m-{number:05}-of-00003.gguf" for number in (1, 2, 3)]
    assert find_model(Settings(), [make_files(tmp_path, *parts, "README.md")]) == str(tmp_path / parts[0])


@pytest.mark.parametrize(
    ("names", "reason"), [(["notes.txt"], "no GGUF file"), (["a.gguf", "b.gguf"], "several models: a.gguf, b.gguf")]
)
def test_folder_without_exactly_one_model_is_rejected(tmp_path: Path, names: list[str], reason: str) -> None:
    with pytest.raises(NotConfigured, match=reason):
        find_model(Settings(), [make_files(tmp_path, *names)])


def test_transformers_model_is_the_folder_of_its_config(tmp_path: Path) -> None:
    settings = Settings(kind="transformers")
    assert find_model(settings, [make_files(tmp_path / "a", "m/config.json", "m/x.safetensors")]) == str(
        tmp_path / "a" / "m"
    )
    with pytest.raises(NotConfigured, match=r"no config\.json"):
        find_model(settings, [make_files(tmp_path / "b", "m.gguf")])


def test_slots_depend_on_the_engine() -> None:
    assert slot_count(Settings(parallel=3, target="x")) == 3
    assert slot_count(Settings(target="x")) == 256
    assert slot_count(Settings(threads=3)) == 6
    assert slot_count(Settings(threads=64)) == 16
    assert slot_count(Settings(kind="transformers")) == 1


def test_objects_are_copied_once_and_changed_ones_again(tmp_path: Path) -> None:
    with (
        serving(Bucket({"m/": b"", "m/a/one.gguf": b"one", "m/two": b"two"})) as bucket,
        bucket_environment(bucket, tmp_path),
    ):
        folder = download("gs://b/m", tmp_path / "to")
        assert (folder / "a" / "one.gguf").read_bytes() == b"one"
        assert (folder / "two").read_bytes() == b"two"
        bucket.objects["m/two"] = b"longer"
        download("gs://b/m/", tmp_path / "to")
        assert bucket.fetched == ["m/a/one.gguf", "m/two", "m/two"]
        assert (folder / "two").read_bytes() == b"longer"


@pytest.mark.parametrize("name", ["m/../../x.gguf", "m//{}/x.gguf"])
def test_object_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    objects = {name.format(outside): b"x"}
    with (
        serving(Bucket(objects)) as bucket,
        bucket_environment(bucket, tmp_path),
        pytest.raises(NotConfigured, match="outside"),
    ):
        download("gs://b/m", tmp_path / "to" / "here")
    assert not list(tmp_path.rglob("x.gguf"))


def test_two_addresses_use_separate_folders(tmp_path: Path) -> None:
    with serving(Bucket({"m/a.gguf": b"aa", "n/b.gguf": b"bb"})) as bucket, bucket_environment(bucket, tmp_path):
        for name, file in (("m", "a.gguf"), ("n", "b.gguf")):
            path = find_model(Settings(storage_uri=f"gs://b/{name}"), [])
            assert path
            assert Path(path).name == file


def test_the_name_of_an_embedding_model_is_not_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_files(tmp_path, "MiniLM-L6-v2.Q8_0.gguf") / "MiniLM-L6-v2.Q8_0.gguf"
    (tmp_path / "targets.toml").write_text(
        f'[mine]\nkind = "embedded"\nmodel = "{model}"\n[theirs]\nkind = "ollama"\nmodel = "library/minilm:v2"\n'
    )
    monkeypatch.setenv("SPACEPORT_CATALOG", str(tmp_path / "targets.toml"))
    for target, name in (("mine", "MiniLM-L6-v2.Q8_0"), ("theirs", "library/minilm:v2")):
        embedding_model = connect_embedding_model(Settings(embeddings_target=target))
        assert embedding_model
        assert embedding_model[0] == name
