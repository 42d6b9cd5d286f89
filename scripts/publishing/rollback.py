"""Restores a Space as it was before its last commit: its files, and the documents that it mounted then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huggingface_hub import Volume

from backends.hub.client import Hub
from backends.hub.errors import HubError
from publishing.hub.library import is_on_hub, mounted_library, read_page_file, set_volumes
from publishing.hub.plan import LIBRARY_SUFFIX, MOUNT, LiveSpace, fetch_live, library_volume
from publishing.hub.push import commit_before, restore
from publishing.hub.watch import restart, wait_until_running
from publishing.publisher_run import Outcome, PublishOptions, ReportLine


@dataclass(frozen=True, slots=True)
class EarlierVolumes:
    """What a Space had mounted at an earlier commit; `step` says how it gets there, or why it doesn't."""

    volumes: Sequence[Volume]
    plan: str = ""
    step: str = ""


def roll_back(hub: Hub, name: str, repo: str, options: PublishOptions, report: ReportLine) -> Outcome:
    """Restore the files from before the last commit, and mount the documents of that time."""
    previous = commit_before(hub, repo)
    live = fetch_live(hub, repo)
    earlier = _earlier_volumes(hub, repo, live, previous)
    if not options.apply:
        report(f"{repo}: would go back to the files of {previous[:8]}, from before its last commit")
        if earlier.plan:
            report(f"{repo}: {earlier.plan}")
        return Outcome(name, repo, "planned")
    is_remounted = list(earlier.volumes) != list(live.volumes)
    if is_remounted:  # first, as in a publication: the commit starts the Space
        set_volumes(hub, repo, earlier.volumes)
    if earlier.step:
        report(f"{repo}: {earlier.step}")
    try:
        commit = restore(hub, repo, previous, f"Back to {previous[:8]}")
    except HubError:
        if is_remounted:  # the files that are still there need their own documents
            set_volumes(hub, repo, live.volumes)
        raise
    if is_remounted and commit == live.sha:
        restart(hub, repo)
    report(f"{repo}: rolled back ({commit[:8]})")
    if options.wait:
        wait_until_running(hub, repo, commit, options.wait_options, report, is_new=commit != live.sha)
    return Outcome(name, repo, "rolled back", commit)


def _earlier_volumes(hub: Hub, repo: str, live: LiveSpace, commit: str) -> EarlierVolumes:
    """Return the volumes that belong to the files of an earlier commit; other volumes than the library stay."""
    dataset = f"{repo}{LIBRARY_SUFFIX}"
    page = read_page_file(hub, repo, commit)
    others = [each for each in live.volumes if each.mount_path != MOUNT]
    mounted = mounted_library(live, dataset)
    if page is not None and page.get("library") != MOUNT:
        if mounted is None:
            return EarlierVolumes(live.volumes)
        reason = f"{dataset}: the files of that time don't use it"
        return EarlierVolumes(others, f"would unmount {reason}", f"unmounted {reason}")
    revision = str((page or {}).get("library_commit", ""))
    if not revision:
        return _unchanged(live, f"the files of {commit[:8]} don't say which ones they had")
    if mounted and mounted.revision == revision:
        return EarlierVolumes(live.volumes)
    if not is_on_hub(hub, dataset, revision):
        return _unchanged(live, f"{dataset} at {revision[:8]} isn't on the Hub any more")
    documents = f"the documents of that time: {dataset} at {revision[:8]}"
    volumes = [*others, library_volume(dataset, revision)]
    return EarlierVolumes(volumes, f"would mount {documents}", f"mounted {documents}")


def _unchanged(live: LiveSpace, reason: str) -> EarlierVolumes:
    sentence = f"its documents stay as they are now: {reason}"
    return EarlierVolumes(live.volumes, sentence, sentence)
