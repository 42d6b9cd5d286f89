"""A Space that is published with documents: what the plan says, what is refused, and what is sent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from publishing.errors import ContentError, StageError
from publishing.staging import documents as staged_documents
from publishing.staging.page import make_page
from rag import __main__ as rag
from tests.publish.fake_hub import Hub

Publish = Callable[..., int]
REPO = "somebody/handbook"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "handbook"
    place.mkdir()
    (place / "birds.md").write_text("# Gannets\n\nThe gannet dives from thirty metres.\n")
    (place / "broken.pdf").write_text("no PDF")
    return place


def test_documents_are_sent_once_and_only_when_they_may_be_public(
    hub: Hub, publish: Publish, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("chat_rag", "--documents", str(folder), "--repo", REPO)
    assert publish(*command) == 0
    plan = capsys.readouterr().out
    assert "everybody who may see the Space can read these documents" in plan
    assert "not read: broken.pdf" in plan
    assert "+ library/ (" in plan
    assert rag.main(["build", str(folder), "--out", str(folder.parent / "library")]) == 0
    command = ("chat_rag", "--documents", str(folder.parent / "library"), "--repo", REPO)
    assert publish(*command, "--apply") == 1
    assert "--public-documents" in capsys.readouterr().err
    assert not hub.spaces
    assert publish(*command, "--apply", "--public-documents") == 0
    sent = hub.spaces[REPO].head.files
    assert any(b"dives from thirty metres" in data for place, data in sent.items() if place.startswith("library/"))
    assert "corpus/seabird-report.md" not in sent
    capsys.readouterr()
    assert publish(*command, "--apply", "--public-documents") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_secret_in_a_document_is_named_before_anything_is_built(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("Our key:\n-----BEGIN " + "RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEAx7" * 20)
    with pytest.raises(ContentError, match=r"notes\.txt, line 2"):
        staged_documents.open_documents(folder, tmp_path / "library")
    assert not (tmp_path / "library").exists()


def test_personal_data_is_named_before_anything_is_sent(
    hub: Hub, publish: Publish, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "team.md").write_text("# Team\n\nWrite to jo.doe@seabirds.org, or call +351 21 123 4567.\n")
    assert publish("chat_rag", "--documents", str(folder), "--repo", REPO, "--apply") == 1
    output = capsys.readouterr()
    assert "personal data? e-mail addresses: 1, in team.md" in output.out
    assert "personal data? telephone numbers: 1, in team.md" in output.out
    assert "jo.doe" not in output.out + output.err
    assert "--public-documents" in output.err
    assert not hub.spaces


def test_a_library_is_read_and_checked_once(tmp_path: Path, folder: Path) -> None:
    assert rag.main(["build", str(folder), "--out", str(tmp_path / "library")]) == 0
    with opened_files() as opened:
        documents = staged_documents.open_documents(tmp_path / "library", tmp_path / "work")
        assert not documents.personal
        assert make_page(documents).text.title == "Handbook"
    vectors = [name for name in opened if "vectors-" in name]
    assert len(vectors) == 2  # for its checksum, and to map it


def test_a_damaged_library_is_named(tmp_path: Path, folder: Path) -> None:
    assert rag.main(["build", str(folder), "--out", str(tmp_path / "library")]) == 0
    vectors = next((tmp_path / "library").glob("vectors-*"))
    vectors.write_bytes(bytes(vectors.stat().st_size))
    with pytest.raises(StageError, match=r"vectors-.*is damaged") as caught:
        staged_documents.open_documents(tmp_path / "library", tmp_path / "work")
    assert "python -m rag build" in caught.value.remedy


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Collect the files that this process opens in the block."""
    opened: list[str] = []
    is_over = False

    def note(event: str, arguments: tuple[object, ...]) -> None:  # nothing can remove it again
        if event == "open" and not is_over:
            opened.append(str(arguments[0]))

    sys.addaudithook(note)
    yield opened
    is_over = True


def test_only_the_chat_takes_documents(publish: Publish, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish("platform_compare", "--documents", str(folder)) == 1
    assert "doesn't read documents" in capsys.readouterr().err
    assert publish("chat_rag", "dashboard", "--documents", str(folder)) == 1
    assert "--documents is for one Space" in capsys.readouterr().err
    assert publish("chat_rag", "--documents", str(folder / "nothing")) == 1
    assert "There is no folder" in capsys.readouterr().err
