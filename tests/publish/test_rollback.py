"""`--rollback` of a Space with a large library: its files and its documents go back together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

import pytest

from publishing.staging import documents as staged_documents
from rag import __main__ as rag
from tests.helpers.servers import serving
from tests.publish.conftest import publisher
from tests.publish.fake_hub import Hub
from tests.publish.handbook import (
    DATASET,
    LARGE_FILES_WARNING,
    REPO,
    apply,
    handbook_command,
    limit_sizes,
    writes,
)

Publish = Callable[..., int]
pytestmark = [pytest.mark.usefixtures("small_limits"), pytest.mark.filterwarnings(LARGE_FILES_WARNING)]
OTHER = {"type": "bucket", "source": "somebody/data", "mountPath": "/data"}


@dataclass(frozen=True)
class TwicePublished:
    """A Hub with a handbook that was published, and then with another text alone; the two commits of its dataset."""

    hub: Hub
    library: Path
    commits: list[str]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwicePublished]:
    folder, library = tmp_path_factory.mktemp("handbook"), tmp_path_factory.mktemp("work") / "library"
    with serving(Hub()) as hub, pytest.MonkeyPatch.context() as patch:
        limit_sizes(hub, patch)
        for text in ("# Gannets\n\nThe gannet dives from thirty metres.", "# Gannets\n\nThe gannet eats fish."):
            (folder / "birds.md").write_text(text * 10)
            assert rag.main(["build", str(folder), "--out", str(library)]) == 0
            assert apply(handbook_command(publisher(hub), library), "--yes") == 0
        hub.spaces[REPO].volumes.append(OTHER)
        yield TwicePublished(hub, library, [commit.oid for commit in hub.spaces[DATASET].commits[1:]])


@pytest.fixture
def twice(hub: Hub, published: TwicePublished) -> list[str]:
    """Give the Hub the Space and the dataset, and return the two commits of the dataset."""
    hub.spaces, hub.large = deepcopy(published.hub.spaces), dict(published.hub.large)
    return published.commits


def roll_back(publish: Publish, *arguments: str) -> int:
    return publish("chat_rag", "--repo", REPO, "--rollback", *arguments)


def changes(hub: Hub) -> list[str]:
    return [each for each in writes(hub) if each != "large"]


def revisions(hub: Hub) -> dict[str, str | None]:
    """Return the commit of each volume of the Space by the folder where it is."""
    return {volume["mountPath"]: volume.get("revision") for volume in hub.spaces[REPO].volumes}


def test_documents_go_back_with_the_files(
    hub: Hub, publish: Publish, twice: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    space = hub.spaces[REPO]
    first = space.commits[-2]
    capsys.readouterr()
    assert roll_back(publish) == 0
    plan = capsys.readouterr().out
    assert f"would go back to the files of {first.oid[:8]}, from before its last commit" in plan
    assert f"would mount the documents of that time: somebody/handbook-library at {twice[0][:8]}" in plan
    assert not writes(hub)
    assert roll_back(publish, "--apply") == 0
    assert revisions(hub) == {"/library": twice[0], "/data": None}
    assert space.head.files == first.files
    assert changes(hub) == ["volumes", "commit"]
    assert f"mounted the documents of that time: somebody/handbook-library at {twice[0][:8]}" in capsys.readouterr().out
    assert roll_back(publish, "--apply") == 0  # and forward again
    assert revisions(hub) == {"/library": twice[1], "/data": None}


def test_a_publication_after_a_rollback_mounts_the_new_documents_without_sending_them(
    hub: Hub, publish: Publish, published: TwicePublished, twice: list[str]
) -> None:
    assert roll_back(publish, "--apply") == 0
    hub.requests.clear()
    assert apply(handbook_command(publish, published.library)) == 0
    assert revisions(hub) == {"/library": twice[1], "/data": None}
    assert changes(hub) == ["volumes", "commit"]


@pytest.mark.parametrize("is_deleted", [True, False])
def test_documents_that_are_no_longer_on_the_hub_are_named(
    hub: Hub, publish: Publish, twice: list[str], capsys: pytest.CaptureFixture[str], is_deleted: bool
) -> None:
    if is_deleted:
        del hub.spaces[DATASET]
    else:
        del hub.spaces[DATASET].commits[1]
    first = hub.spaces[REPO].commits[-2]
    assert roll_back(publish, "--apply") == 0
    assert (
        f"its documents stay as they are now: somebody/handbook-library at {twice[0][:8]} isn't on the Hub any more"
        in capsys.readouterr().out
    )
    assert revisions(hub) == {"/library": twice[1], "/data": None}
    assert hub.spaces[REPO].head.files == first.files


@pytest.mark.parametrize("page", [b'title = "T"\ndescription = "D"\nlibrary = "/library"\n', b"title = \xff"])
def test_files_that_do_not_say_which_documents_they_had_are_named(
    hub: Hub, publish: Publish, twice: list[str], capsys: pytest.CaptureFixture[str], page: bytes
) -> None:
    first = hub.spaces[REPO].commits[-2]
    first.oid, first.files["page.toml"] = sha1(page).hexdigest(), page
    assert roll_back(publish, "--apply") == 0
    assert (
        f"its documents stay as they are now: the files of {first.oid[:8]} don't say which ones"
        in capsys.readouterr().out
    )
    assert revisions(hub) == {"/library": twice[1], "/data": None}
    assert hub.spaces[REPO].head.files["page.toml"] == page


def test_a_small_library_is_among_the_files(
    hub: Hub, publish: Publish, command: Callable[..., int], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(staged_documents, "MAX_FILE_BYTES", 10_000_000)
        assert apply(command) == 0
    before = hub.spaces[REPO].head.files
    assert apply(command, "--yes") == 0
    assert hub.spaces[REPO].volumes
    capsys.readouterr()
    assert roll_back(publish, "--apply") == 0
    assert "unmounted somebody/handbook-library: the files of that time don't use it" in capsys.readouterr().out
    assert (hub.spaces[REPO].volumes, hub.spaces[REPO].head.files) == ([], before)
    assert roll_back(publish, "--apply") == 0
    assert revisions(hub) == {"/library": hub.spaces[DATASET].head.oid}


def test_documents_that_have_not_changed_stay_mounted(
    hub: Hub, publish: Publish, twice: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    space = hub.spaces[REPO]
    space.commit("by hand", space.head.files | {"app.py": b"broken"})
    assert roll_back(publish, "--apply") == 0
    assert "documents" not in capsys.readouterr().out
    assert changes(hub) == ["commit"]
    assert revisions(hub) == {"/library": twice[1], "/data": None}


def test_a_refused_commit_leaves_the_documents_of_its_files(hub: Hub, publish: Publish, twice: list[str]) -> None:
    head = hub.spaces[REPO].head
    hub.fail("commit", 412)
    assert roll_back(publish, "--apply") == 1
    assert hub.spaces[REPO].head is head
    assert revisions(hub) == {"/library": twice[1], "/data": None}


def test_a_refused_mount_changes_nothing(
    hub: Hub, publish: Publish, twice: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    head = hub.spaces[REPO].head
    hub.fail("volumes", 403)
    assert roll_back(publish, "--apply") == 1
    assert "the volumes of somebody/handbook (403)" in capsys.readouterr().err
    assert hub.spaces[REPO].head is head
    assert revisions(hub) == {"/library": twice[1], "/data": None}
