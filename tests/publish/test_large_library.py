"""A library that is too large for a Space: its own dataset, mounted by the Space, also when the Hub refuses a step."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from publishing.errors import ContentError
from publishing.hub.plan import MOUNT
from publishing.staging import content_check
from publishing.staging import documents as staged_documents
from publishing.staging.content_check import check_content
from publishing.staging.documents import open_documents
from publishing.staging.page import add_page, make_page
from publishing.staging.stage import stage
from rag import __main__ as rag
from rag.library.built.manifest import read_manifest
from tests.conftest import ROOT
from tests.helpers.staged import running_staged
from tests.publish.fake_hub import Hub, Space
from tests.publish.handbook import DATASET, LARGE_FILES_WARNING, REPO, apply, mounted, writes

pytestmark = [pytest.mark.usefixtures("small_limits"), pytest.mark.filterwarnings(LARGE_FILES_WARNING)]


def test_the_plan_shows_the_dataset_and_who_can_read_it(
    hub: Hub, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command() == 0
    plan = capsys.readouterr().out
    assert "somebody/handbook-library: a new private dataset" in plan
    assert "+ manifest.json" in plan
    assert f"the Space mounts it at {MOUNT}; private, so that only the page reads it" in plan
    assert "somebody/handbook: a new Space" in plan
    assert "+ library/" not in plan
    assert not hub.spaces
    assert command("--apply") == 1
    assert "--public-documents" in capsys.readouterr().err
    assert not hub.spaces


def test_two_commits_and_none_on_the_second_run(
    hub: Hub, command: Callable[..., int], library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply(command) == 0
    dataset, space = hub.spaces[DATASET], hub.spaces[REPO]
    assert (dataset.private, space.private) == (True, False)
    manifest = read_manifest(library)
    sent = {name: data for name, data in dataset.head.files.items() if name not in (".gitattributes", "README.md")}
    assert sent == {name: (library / name).read_bytes() for name in manifest.file_names}
    assert hub.large  # the real client sent them as large files
    assert not [place for place in space.head.files if place.startswith("library/")]
    assert b"Handbook" in space.head.files["page.toml"]
    assert space.volumes == [mounted(hub)]
    assert b'library = "/library"' in space.head.files["page.toml"]
    assert not space.variables
    assert hub.requests.count("commit") == 2
    hub.requests.clear()
    capsys.readouterr()
    assert apply(command) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert not writes(hub)


def test_changed_documents_are_a_commit_of_each_and_another_revision(
    hub: Hub, command: Callable[..., int], folder: Path, library: Path
) -> None:
    assert apply(command) == 0
    hub.spaces[REPO].volumes.append({"type": "bucket", "source": "somebody/data", "mountPath": "/data"})
    text = (folder / "birds.md").read_text()
    (folder / "birds.md").write_text(text + "\nIt eats fish.\n")
    assert rag.main(["build", str(folder), "--out", str(library)]) == 0
    hub.requests.clear()
    assert apply(command, "--yes") == 0
    space = hub.spaces[REPO]
    assert space.volumes == [{"type": "bucket", "source": "somebody/data", "mountPath": "/data"}, mounted(hub)]
    assert writes(hub).count("commit") == 2  # the Space's files say which commit of the dataset it mounts
    assert mounted(hub)["revision"].encode() in space.head.files["page.toml"]
    assert not space.restarts


def test_a_refused_space_leaves_nothing(hub: Hub, command: Callable[..., int]) -> None:
    hub.account = {"isPro": False}
    assert apply(command, "--hardware", "cpu-basic") == 1
    assert not hub.spaces


def test_a_refused_dataset_is_said_and_the_next_run_completes(
    hub: Hub, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults["create"] = [None, 403]
    assert apply(command) == 1
    error = capsys.readouterr().err
    assert "the creation of the dataset somebody/handbook-library (403)" in error
    assert f"The Space {REPO} is there and empty. Run the command again" in error
    assert set(hub.spaces) == {REPO}
    assert len(hub.spaces[REPO].commits) == 1
    assert apply(command) == 0
    assert hub.spaces[REPO].volumes == [mounted(hub)]


def test_a_failed_upload_is_said_and_the_next_run_completes(
    hub: Hub, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.fail("large", 400, times=9)
    assert apply(command) == 1
    error = capsys.readouterr().err
    assert "Error while uploading" in error
    assert "Traceback" not in error
    assert (len(hub.spaces[REPO].commits), len(hub.spaces[DATASET].commits)) == (1, 1)
    hub.faults.clear()
    assert apply(command) == 0
    assert hub.spaces[REPO].volumes == [mounted(hub)]


def test_a_refused_volume_leaves_the_old_files_and_the_next_run_completes(
    hub: Hub, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.fail("volumes", 403)
    assert apply(command) == 1
    assert f"{REPO} has its old files. Run the command again" in capsys.readouterr().err
    assert len(hub.spaces[REPO].commits) == 1
    assert len(hub.spaces[DATASET].commits) == 2
    assert apply(command) == 0
    assert len(hub.spaces[DATASET].commits) == 2
    assert hub.spaces[REPO].volumes == [mounted(hub)]


def test_a_failed_start_mounts_the_library_from_before(
    hub: Hub, command: Callable[..., int], folder: Path, library: Path
) -> None:
    assert apply(command) == 0
    before = list(hub.spaces[REPO].volumes)
    (folder / "new.md").write_text("# Puffins\n\n## Burrows\n\nThe puffin nests in burrows.\n")
    assert rag.main(["build", str(folder), "--out", str(library)]) == 0
    hub.builds = ["BUILDING", "RUNTIME_ERROR"]
    assert apply(command, "--yes", "--on-failure", "rollback") == 1
    assert hub.spaces[REPO].head.title.startswith("Back to ")
    assert hub.spaces[REPO].volumes == before
    changes = [each for each in writes(hub) if each != "large"]
    assert changes[-2:] == ["volumes", "commit"]  # the commit starts the Space


def test_a_failed_start_with_another_mount_alone_starts_with_the_one_from_before(
    hub: Hub, command: Callable[..., int]
) -> None:
    assert apply(command) == 0
    hub.spaces[REPO].volumes.clear()  # by hand
    hub.wakes = ["APP_STARTING", "RUNTIME_ERROR"]
    assert apply(command, "--on-failure", "rollback") == 1
    assert not hub.spaces[REPO].volumes
    assert hub.spaces[REPO].restarts == 2  # with the library, and without it


def test_a_failed_start_with_a_first_large_library_goes_back_to_the_small_one(
    hub: Hub, command: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(staged_documents, "MAX_FILE_BYTES", 10_000_000)
        assert apply(command) == 0
    before = hub.spaces[REPO].head.files
    hub.builds = ["BUILDING", "RUNTIME_ERROR"]
    assert apply(command, "--yes", "--on-failure", "rollback") == 1
    space = hub.spaces[REPO]
    assert space.head.files == before
    assert "library/manifest.json" in before
    assert (space.volumes, space.variables) == ([], {})


def test_refused_hardware_of_a_space_that_exists_changes_nothing(
    hub: Hub, command: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(staged_documents, "MAX_FILE_BYTES", 10_000_000)
        assert apply(command) == 0
    hub.fail("hardware", 402)
    assert apply(command, "--yes", "--hardware", "t4-small") == 1
    assert "Nothing was changed." in capsys.readouterr().err
    assert set(hub.spaces) == {REPO}
    assert not hub.spaces[REPO].volumes


def test_a_library_that_is_small_again_is_no_longer_mounted(
    hub: Hub, command: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply(command) == 0
    monkeypatch.setattr(staged_documents, "MAX_FILE_BYTES", 10_000_000)
    capsys.readouterr()
    assert apply(command) == 0
    assert "its library is no longer mounted; the dataset somebody/handbook-library stays" in capsys.readouterr().out
    assert writes(hub)[-2:] == ["commit", "volumes"]  # the old files need it until then
    space = hub.spaces[REPO]
    assert "library/manifest.json" in space.head.files
    assert (space.volumes, space.variables) == ([], {})
    assert DATASET in hub.spaces
    hub.requests.clear()
    assert apply(command) == 0
    assert not writes(hub)


def test_a_dataset_of_somebody_elses_is_never_changed(
    hub: Hub, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.spaces[DATASET] = Space("")
    hub.spaces[DATASET].commit("by hand", {"train.csv": b"a,b\n"})
    assert apply(command) == 1
    assert "isn't a library: it has train.csv" in capsys.readouterr().err
    assert set(hub.spaces) == {DATASET}


@pytest.mark.parametrize("private", [True, False])
def test_a_dataset_stays_as_private_as_it_is(
    hub: Hub, command: Callable[..., int], capsys: pytest.CaptureFixture[str], private: bool
) -> None:
    hub.spaces[DATASET] = Space("", private=private)
    hub.spaces[DATASET].commit("initial commit", {".gitattributes": b""})
    assert apply(command) == 0
    assert hub.spaces[DATASET].private is private
    assert ("everybody can list and download it" in capsys.readouterr().out) is not private


def test_a_preview_gets_no_dataset(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert apply(command, "--preview", "7") == 1
    assert "Give a preview fewer documents" in capsys.readouterr().err


def test_the_staged_page_answers_from_the_mounted_folder(library: Path, tmp_path: Path) -> None:
    documents = open_documents(library, tmp_path / "work")
    assert documents.is_large
    staged = add_page(stage(ROOT, "chat_rag", tmp_path / "chat_rag"), make_page(documents))
    variables = {"SPACEPORT_LIBRARY": str(library)}
    with running_staged(replace(staged, variables=variables), Path(sys.executable)) as url:
        config = httpx2.get(f"{url}/config").text
    assert "What does birds.md say about" in config
    assert "exclusion zone" not in config


def test_a_folder_with_a_large_file_is_built(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_check, "MAX_FILE_BYTES", 100)
    assert open_documents(folder, tmp_path / "work").manifest.documents == 1


def test_a_large_archive_is_unpacked_to_be_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_check, "MAX_FILE_BYTES", 50_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("key.txt", "-----BEGIN " + "RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEAx7" * 20)
        archive.writestr("noise", os.urandom(100_000))
    with pytest.raises(ContentError, match=r"key\.txt"):
        check_content({"a.zip": tmp_path / "a.zip"}, any_size=True)


def test_large_files_are_scanned_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_check, "MAX_FILE_BYTES", 50_000)
    monkeypatch.setattr(content_check, "MAX_WHOLE_BYTES", 50_000)
    key = "-----BEGIN " + "RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEAx7" * 20
    lines, block = tmp_path / "documents.jsonl", tmp_path / "original"
    lines.write_text(f'{{"text": "{"x" * 40}"}}\n' * 1_000 + '{"text": "' + key.replace("\n", "\\n") + '"}\n')
    block.write_text("x" * 49_990 + key)
    with pytest.raises(ContentError, match=r"documents\.jsonl, document 1001, line 1") as caught:
        check_content({"documents.jsonl": lines, "original": block}, any_size=True)
    assert "original" in str(caught.value).replace("documents.jsonl", "")
    with pytest.raises(ContentError, match="the limit for a file"):
        check_content({"documents.jsonl": lines})
