"""Where the model comes from: named, copied, mounted or baked in; and how many answers are made at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backends import NotConfigured
from inference.model import entry, find, slots
from inference.settings import Settings
from inference.storage import download
from tests.helpers.servers import serving
from tests.inference.bucket import Bucket


def folder_of(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).touch()
    return path


@contextmanager
def reaching(bucket: Bucket, cache: Path) -> Iterator[None]:
    """This process's environment names the bucket."""
    before, given = dict(os.environ), bucket.environment("", cache)
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given:
            os.environ.pop(name)
        os.environ.update(before)


def test_nothing_named_and_nothing_mounted_is_what_is_baked_in(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert find(Settings(), [tmp_path / "absent", tmp_path / "empty"]) is None
    assert "model" not in entry(Settings(), [])


def test_the_first_folder_that_holds_something_wins(tmp_path: Path) -> None:
    folders = [tmp_path / "empty", folder_of(tmp_path / "a", "deep/er/m.gguf"), folder_of(tmp_path / "b", "n.gguf")]
    assert find(Settings(), folders) == str(tmp_path / "a" / "deep" / "er" / "m.gguf")


def test_a_name_wins_over_what_is_mounted(tmp_path: Path) -> None:
    mounted = [folder_of(tmp_path / "a", "m.gguf")]
    assert find(Settings(model="hf:o/r/f.gguf"), mounted) == "hf:o/r/f.gguf"
    assert find(Settings(model="/x/y.gguf"), mounted) == "/x/y.gguf"
    named = folder_of(tmp_path / "b", "n.gguf")
    assert find(Settings(model=str(named)), mounted) == str(named / "n.gguf")
    assert find(Settings(storage_uri=f"file://{named}"), mounted) == str(named / "n.gguf")
    assert find(Settings(storage_uri=str(named)), mounted) == str(named / "n.gguf")


def test_a_split_model_is_named_by_its_first_part(tmp_path: Path) -> None:
    parts = [f"m-{number:05}-of-00003.gguf" for number in (1, 2, 3)]
    assert find(Settings(), [folder_of(tmp_path, *parts, "README.md")]) == str(tmp_path / parts[0])


@pytest.mark.parametrize(
    ("names", "reason"), [(["notes.txt"], "no GGUF file"), (["a.gguf", "b.gguf"], "several models: a.gguf, b.gguf")]
)
def test_a_folder_that_does_not_say_which_is_refused(tmp_path: Path, names: list[str], reason: str) -> None:
    with pytest.raises(NotConfigured, match=reason):
        find(Settings(), [folder_of(tmp_path, *names)])


def test_a_model_of_transformers_is_where_its_configuration_is(tmp_path: Path) -> None:
    settings = Settings(kind="transformers")
    assert find(settings, [folder_of(tmp_path / "a", "m/config.json", "m/x.safetensors")]) == str(tmp_path / "a" / "m")
    with pytest.raises(NotConfigured, match=r"no config\.json"):
        find(settings, [folder_of(tmp_path / "b", "m.gguf")])


def test_the_slots_follow_what_makes_the_answers() -> None:
    assert slots(Settings(parallel=3, target="x")) == 3
    assert slots(Settings(target="x")) == 256
    assert slots(Settings(threads=3)) == 6
    assert slots(Settings(threads=64)) == 16
    assert slots(Settings(kind="transformers")) == 1


def test_objects_are_copied_once_and_a_changed_one_again(tmp_path: Path) -> None:
    with serving(Bucket({"m/": b"", "m/a/one.gguf": b"one", "m/two": b"two"})) as bucket, reaching(bucket, tmp_path):
        folder = download("gs://b/m", tmp_path / "to")
        assert (folder / "a" / "one.gguf").read_bytes() == b"one"
        assert (folder / "two").read_bytes() == b"two"
        bucket.objects["m/two"] = b"longer"
        download("gs://b/m/", tmp_path / "to")
        assert bucket.fetched == ["m/a/one.gguf", "m/two", "m/two"]
        assert (folder / "two").read_bytes() == b"longer"


@pytest.mark.parametrize("name", ["m/../../x.gguf", "m//{}/x.gguf"])
def test_an_object_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    objects = {name.format(outside): b"x"}
    with (
        serving(Bucket(objects)) as bucket,
        reaching(bucket, tmp_path),
        pytest.raises(NotConfigured, match="outside"),
    ):
        download("gs://b/m", tmp_path / "to" / "here")
    assert not list(tmp_path.rglob("x.gguf"))


def test_another_address_is_not_mixed_up_with_the_last_one(tmp_path: Path) -> None:
    with serving(Bucket({"m/a.gguf": b"aa", "n/b.gguf": b"bb"})) as bucket, reaching(bucket, tmp_path):
        for name, file in (("m", "a.gguf"), ("n", "b.gguf")):
            found = find(Settings(storage_uri=f"gs://b/{name}"), [])
            assert found
            assert Path(found).name == file
