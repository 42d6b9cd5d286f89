"""A library that is too large for a Space: a dataset of its own, which the Space mounts as a folder."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import Volume
from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

from backends.hub.client import Hub, translate_errors
from backends.hub.errors import HubError
from chat_page.page_text import FILE
from publishing.errors import PublishError
from publishing.hub.plan import (
    HUB_FILES,
    LIBRARY_SUFFIX,
    MOUNT,
    LiveSpace,
    PublishPlan,
    fetch_live,
    fetch_tree,
    library_volume,
    make_plan,
)
from publishing.staging.documents import Documents
from publishing.staging.stage import StagedSpace
from rag.library.built.manifest import DATA_FILE, MANIFEST, ORIGINALS

_README = "README.md"
_ORIGINAL = re.compile(rf"{ORIGINALS}/[0-9a-f]{{16}}")


def plan_library(hub: Hub, repo: str, title: str, documents: Documents, folder: Path) -> PublishPlan:
    """Return the plan of the dataset for the library of the Space `repo`; its card is written into `folder`."""
    dataset = f"{repo}{LIBRARY_SUFFIX}"
    live = fetch_live(hub, dataset, "dataset")
    foreign = [name for name in live.files if not _is_own(name)]
    if foreign:
        raise PublishError(
            f"The dataset {dataset} isn't a library: it has {foreign[0]}.",
            "Rename it on the Hub, or choose another name for the Space.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _README).write_text(_card(repo, title), encoding="utf-8")
    files = {_README: folder / _README, **documents.files}
    return make_plan(dataset, StagedSpace(dataset, folder, files, {}), live, repo_type="dataset")


def mount_library(hub: Hub, plan: PublishPlan, revision: str) -> None:
    """Mount this commit of the plan's library in its Space; other volumes of the Space stay."""
    assert plan.library  # noqa: S101
    try:
        set_volumes(hub, plan.repo, [*_others(plan), library_volume(plan.library.repo, revision)])
    except HubError as error:
        remedy = f"{plan.repo} has its old files. Run the command again when the reason is gone. {error.remedy}"
        raise HubError(error.message, remedy, status=error.status) from error


def unmount_library(hub: Hub, plan: PublishPlan) -> None:
    """Unmount the library of a Space whose files no longer need it; other volumes of the Space stay."""
    try:
        set_volumes(hub, plan.repo, _others(plan))
    except HubError as error:
        remedy = f"{plan.repo} has its new files and needs it no more. Run the command again. {error.remedy}"
        raise HubError(error.message, remedy, status=error.status) from error


def _others(plan: PublishPlan) -> list[Volume]:
    return [each for each in plan.live.volumes if each.mount_path != MOUNT]


def set_volumes(hub: Hub, repo: str, volumes: Sequence[Volume]) -> None:
    """Make these the volumes of a Space."""
    with translate_errors(f"the volumes of {repo}"):
        if volumes:
            hub.api.set_space_volumes(repo, list(volumes))
        else:
            hub.api.delete_space_volumes(repo)


def mounted_library(live: LiveSpace, dataset: str) -> Volume | None:
    """Return the volume with which a Space mounts its library, if it does."""
    return next((each for each in live.volumes if each.mount_path == MOUNT and each.source == dataset), None)


def is_on_hub(hub: Hub, dataset: str, revision: str) -> bool:
    """Return whether the Hub still has this commit of a dataset."""
    with translate_errors(f"the dataset {dataset}"):
        try:
            hub.api.dataset_info(dataset, revision=revision)
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return False
    return True


def read_page_file(hub: Hub, repo: str, commit: str) -> dict[str, Any] | None:
    """Return the page.toml of a Space at a commit; empty if it has none, None if it can't be read."""
    with translate_errors(f"the files of {commit[:8]}"):
        if FILE not in fetch_tree(hub, repo, commit):
            return {}
        path = hub.api.hf_hub_download(repo, FILE, repo_type="space", revision=commit)
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except ValueError:
        return None


def _is_own(name: str) -> bool:
    is_data = name in HUB_FILES or name in (_README, MANIFEST) or DATA_FILE.fullmatch(name)
    return bool(is_data or _ORIGINAL.fullmatch(name))


def _card(repo: str, title: str) -> str:
    values = {"pretty_name": title, "viewer": False, "tags": ["spaceport-library"]}
    front_matter = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    space = f"[{repo}](https://huggingface.co/spaces/{repo})"
    return f"---\n{front_matter}---\n\nThe library that the Space {space} mounts. Written by publish_space.py.\n"
