"""Folders and ZIP archives of documents, among them archives that attack their reader."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from rag.errors import DocumentError
from rag.reading.archives.limits import ArchiveLimits
from rag.reading.archives.sources import Source, expand
from rag.reading.processes.pool import ReaderPool, file_readers

NOTE = "The ferry leaves at a quarter past eight."
LIMITS = ArchiveLimits(documents=5, megabytes=1, nesting=2, folders=3, entries=20)
Expand = Callable[[Path], list[Source]]


@pytest.fixture(scope="module")
def readers() -> ReaderPool:
    return file_readers()


@pytest.fixture
def expanded(readers: ReaderPool, tmp_path: Path) -> Expand:
    """Expand a path into files, which are written into the folder `unpacked`."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    numbers = iter(range(1000))
    return lambda path: list(expand([path], readers, lambda: folder / str(next(numbers)), LIMITS))


def packed(files: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def names(sources: list[Source]) -> dict[str, str]:
    return {source.full_name: source.problem for source in sources}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_becomes_its_documents(expanded: Expand, tmp_path: Path, compression: int) -> None:
    inner = packed({"deep/rope.md": "Rope number one."}, compression)
    files = {
        "note.txt": NOTE,
        "reports/2024/fees.csv": "Port,Fee\nHolm,14\n",
        "more.zip": inner,
        "long.txt": NOTE * 9000,
    }
    sources = expanded(write(tmp_path / "island.zip", packed(files, compression)))
    assert names(sources) == {
        "island.zip/note.txt": "",
        "island.zip/reports/2024/fees.csv": "",
        "island.zip/more.zip/deep/rope.md": "",
        "island.zip/long.txt": "",
    }
    assert [source.path.read_text() for source in sources] == [
        NOTE,
        "Port,Fee\nHolm,14\n",
        "Rope number one.",
        NOTE * 9000,
    ]
    assert len(list((tmp_path / "unpacked").iterdir())) == 4  # the archive inside is gone


def test_names_are_only_labels(expanded: Expand, tmp_path: Path) -> None:
    hostile = {"../../up.txt": NOTE, "/etc/passwd.txt": NOTE, "C:\\secret\\x.txt": NOTE, "a/\u202efdp.txt": NOTE}
    sources = expanded(write(tmp_path / "a.zip", packed(hostile)))
    assert list(names(sources)) == ["a.zip/up.txt", "a.zip/etc/passwd.txt", "a.zip/secret/x.txt", "a.zip/a/fdp.txt"]
    assert {source.path.parent.name for source in sources} == {"unpacked"}


def test_names_in_utf8_without_the_flag_are_read(expanded: Expand, tmp_path: Path) -> None:
    data = packed({"f\u00e4hre.txt": NOTE})
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + at
        data = data[:place] + b"\0\0" + data[place + 2 :]
    assert list(names(expanded(write(tmp_path / "a.zip", data)))) == ["a.zip/f\u00e4hre.txt"]


def test_files_of_the_system_are_left_out_and_others_say_why(expanded: Expand, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    stream = BytesIO(
        packed({"__MACOSX/._a.txt": "x", ".hidden.txt": "x", "film.mp4": "x", "a/b/c/d/deep.txt": "x", "empty/": ""})
    )
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("packed.txt", NOTE * 100, zipfile.ZIP_BZIP2)
    assert names(expanded(write(tmp_path / "a.zip", stream.getvalue()))) == {
        "a.zip/film.mp4": "unsupported file type",
        "a.zip/a/b/c/d/deep.txt": "in too many folders",
        "a.zip/link.txt": "a link",
        "a.zip/packed.txt": "packed in an unsupported way",
    }


def test_a_locked_file_says_so(expanded: Expand, tmp_path: Path) -> None:
    data = bytearray(packed({"a.txt": NOTE}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert names(expanded(write(tmp_path / "a.zip", bytes(data)))) == {"a.zip/a.txt": "locked with a password"}


def test_archives_are_not_opened_without_end(expanded: Expand, tmp_path: Path) -> None:
    data = packed({"core.txt": NOTE})
    for number in range(4):
        data = packed({f"{number}.zip": data})
    assert names(expanded(write(tmp_path / "a.zip", data))) == {"a.zip/3.zip/2.zip/1.zip": "in too many archives"}
    assert not list((tmp_path / "unpacked").iterdir())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({f"{number}.txt": "x" for number in range(6)}, "more than 5 documents"),
        ({f"{number}.mp4": "x" for number in range(21)}, "21 entries; the limit is 20"),
        ({"zeros.txt": bytes(2_000_000)}, "more than 1 MB, unpacked"),
        ({"in.zip": packed({"a.txt": bytes(600_000)}), "b.txt": bytes(600_000)}, "more than 1 MB, unpacked"),
    ],
)
def test_the_limits_of_an_archive(expanded: Expand, tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        expanded(write(tmp_path / "a.zip", packed(files)))


def test_a_file_that_is_larger_than_it_says_is_damaged(expanded: Expand, tmp_path: Path) -> None:
    data = packed({"zeros.txt": bytes(50_000_000)})
    place = data.index(b"PK\x01\x02") + 24
    data = data[:place] + struct.pack("<I", 10) + data[place + 4 :]
    [source] = expanded(write(tmp_path / "a.zip", data))
    assert "damaged" in source.problem
    assert not list((tmp_path / "unpacked").iterdir())


@pytest.mark.parametrize("at", [0, 30, 40])
def test_damaged_data_are_noticed(expanded: Expand, tmp_path: Path, at: int) -> None:
    data = bytearray(packed({"a.txt": NOTE}))
    data[at] ^= 0xFF
    sources = expanded(write(tmp_path / "a.zip", bytes(data)))
    assert (
        all("damaged" in source.problem for source in sources) or at == 30
    )  # at 30 is the name, which is only a label


def test_what_is_no_archive_is_an_error(expanded: Expand, tmp_path: Path) -> None:
    for data in (b"", b"hello", packed({"a.txt": NOTE})[:-10]):
        with pytest.raises(DocumentError, match="isn't a valid ZIP archive"):
            expanded(write(tmp_path / "a.zip", data))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "island"
    (folder / "sub" / ".git").mkdir(parents=True)
    (folder / "note.txt").write_text(NOTE)
    (folder / "film.mp4").write_bytes(b"x")
    (folder / "sub" / "rope.md").write_text("# Ropes\n\nRope number one holds the boat.")
    (folder / "sub" / ".git" / "config.txt").write_text("secret")
    (folder / "sub" / "more.zip").write_bytes(packed({"fees.csv": "Port,Fee\nHolm,14\n"}))
    (folder / "link.txt").symlink_to("/etc/passwd")
    return folder


def test_a_folder_stands_for_the_files_in_it(expanded: Expand, folder: Path) -> None:
    assert names(expanded(folder)) == {
        "island/film.mp4": "unsupported file type",
        "island/link.txt": "a link",
        "island/note.txt": "",
        "island/sub/more.zip/fees.csv": "",
        "island/sub/rope.md": "",
    }


def test_a_folder_with_too_many_documents_is_an_error(expanded: Expand, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text("x")
    with pytest.raises(DocumentError, match="more than 5 documents"):
        expanded(tmp_path)


def test_the_command_reads_a_folder(folder: Path) -> None:
    command = [sys.executable, "-m", "rag", "read", str(folder), "--json"]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"document": "island/sub/more.zip/fees.csv"' in process.stdout
    assert process.stdout.count('"document"') == 3
    assert "island/film.mp4: not read (unsupported file type)" in process.stderr
