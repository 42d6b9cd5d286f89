"""Building a library: what is read, what is read again, and what remains after an interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.library.built.build import WORK
from tests.conftest import ROOT
from tests.rag.library.built.conftest import Builder, files


def test_broken_files_links_and_copies_are_named_and_the_rest_is_built(
    folder: Path, tmp_path: Path, build: Builder
) -> None:
    manifest = build(folder, tmp_path / "library")
    problems = {source.path: source.problem for source in manifest.problems}
    assert problems == {
        "broken.pdf": "“broken.pdf” isn't a valid PDF file.",
        "link.txt": "a link",
    }
    assert manifest.documents == 4
    same = [source.document for source in manifest.sources if source.path.endswith(("copy.txt", "rules.txt"))]
    assert len(same) == 2
    assert len(set(same)) == 1
    assert "more.zip/tides.txt" in [source.path for source in manifest.sources]
    assert 0 < manifest.largest_error < 0.02
    everything = b"".join(files(tmp_path / "library").values())
    assert b"swordfish" not in everything
    assert str(tmp_path).encode() not in everything


def test_two_builds_are_equal_and_a_third_reads_nothing(folder: Path, tmp_path: Path, build: Builder) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    build(folder, one, originals=True)
    build(folder, two, originals=True, workers=1)
    first = files(one)
    assert first == files(two)
    build(folder, one, originals=True)
    assert files(one) == first
    assert build.lines == ["1 of 1: broken.pdf"]


def test_only_what_changed_is_read_again(folder: Path, tmp_path: Path, build: Builder) -> None:
    library, again = tmp_path / "library", tmp_path / "again"
    build(folder, library, originals=True)
    (folder / "birds.md").write_text("# Puffins\n\nThe puffin digs a burrow of a metre.\n")
    (folder / "fees.csv").unlink()
    (folder / "harbour" / "copy.txt").rename(folder / "harbour" / "a.txt")  # the first file with its content, now
    build(folder, library, originals=True)
    assert [line.partition(": ")[2] for line in build.lines] == [
        "birds.md", "broken.pdf", "harbour/a.txt",
    ]  # fmt: skip
    build(folder, again, originals=True)
    assert files(library) == files(again)


def test_a_library_inside_of_the_folder_is_no_document(folder: Path, build: Builder) -> None:
    first = build(folder, folder / "library")
    assert build(folder, folder / "library") == first


def test_a_killed_build_goes_on(folder: Path, tmp_path: Path, build: Builder) -> None:
    (folder / "broken.pdf").unlink()
    for number in range(20):
        (folder / f"note {number}.txt").write_text(f"Note {number} says that boat {number} has {number} sails. " * 40)
    library = tmp_path / "library"
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "build", folder, "--out", library, "--name", "Handbook"],
        cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    done = library / WORK / "documents"
    while process.poll() is None and not (done.is_dir() and len(list(done.iterdir())) > 3):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (library / "manifest.json").exists()
    build(folder, library)
    assert 0 < len(build.lines) < 24
    build(folder, tmp_path / "clean")
    assert files(library) == files(tmp_path / "clean")


LIMITED = """
import resource, runpy, sys
from rag.search.embedding.embedders import Embedder
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))  # like a full disk: a write fails in the middle
sys.argv[0] = "rag"
runpy.run_module("rag", run_name="__main__")
"""


def test_a_full_disk_leaves_the_library_as_it_was(folder: Path, tmp_path: Path, build: Builder) -> None:
    library = tmp_path / "library"
    build(folder, library)
    before = files(library)
    (folder / "long.txt").write_text("The ferry leaves at noon, and the pilot at one. " * 400)
    process = subprocess.run(
        [sys.executable, "-c", LIMITED, "build", folder, "--out", library], cwd=ROOT, capture_output=True, text=True
    )
    assert process.returncode == 1, process.stderr
    assert "disk is full" in process.stderr or "Can't write" in process.stderr
    assert "Traceback" not in process.stderr
    assert files(library).items() >= before.items()
    build(folder, library)
    assert files(library) != before


def test_other_folders_are_not_written_to(folder: Path, tmp_path: Path, build: Builder) -> None:
    with pytest.raises(RagError, match="neither empty nor a library"):
        build(folder, folder)
    with pytest.raises(RagError, match="There is no folder"):
        build(tmp_path / "nothing", tmp_path / "library")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RagError, match="None of the files"):
        build(tmp_path / "empty", tmp_path / "library")
