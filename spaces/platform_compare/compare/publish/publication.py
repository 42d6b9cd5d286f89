"""Plans a publication: which files of a run change in which repositories; refuses repositories of another purpose."""

from __future__ import annotations

from dataclasses import dataclass

from backends.hub.client import Hub, check_name
from backends.hub.errors import HubError
from compare.publish.files import (
    ANSWERS,
    BADGES,
    RESULTS,
    dataset_card,
    dataset_files,
    dated,
    page_files,
    page_title,
    run_name,
)
from compare.publish.repository import Change, Live, commit, fetch
from compare.report.report import Report

# What the Hub or a person adds to a repository without another purpose.
NEUTRAL_FILES = {".gitattributes", "README.md", "LICENSE", ".gitignore"}
# What a new static Space has, and what is written into it.
PAGE_FILES = NEUTRAL_FILES | {"index.html", "style.css", "badge.svg"}


@dataclass(frozen=True, slots=True)
class Publication:
    """The changes of a publication, the dataset first, and what a README can show of it."""

    changes: tuple[Change, ...]
    message: str
    badge: str

    @property
    def is_empty(self) -> bool:
        return all(change.is_empty for change in self.changes)

    def text(self) -> str:
        """Return the plan as text."""
        return "\n".join(change.text() for change in self.changes)

    def apply(self, hub: Hub) -> list[str]:
        """Make the changes, a commit for each repository that changes, and return the commits."""
        return [commit(hub, change, self.message) for change in self.changes]


def plan_publication(hub: Hub, report: Report, dataset: str, space: str | None, *, with_texts: bool) -> Publication:
    """Compare what a run publishes with the Hub; the run of the `report` has to be public already."""
    for repo in filter(None, (dataset, space)):
        if repo.count("/") != 1:
            raise HubError(f"{repo!r} isn't the name of a repository.", "Write OWNER/NAME.")
        check_name(repo)
    report = dated(report)
    changes = [_plan_dataset(hub, report, dataset, with_texts=with_texts)]
    if space:
        changes.append(_plan_page(hub, report, space, dataset))
    title = page_title(report)
    link = f"{hub.api.endpoint}/spaces/{space}" if space else f"{hub.api.endpoint}/datasets/{dataset}"
    picture = f"{hub.api.endpoint}/datasets/{dataset}/resolve/main/{BADGES}/{run_name(report)}.svg"
    message = f"Results of {title}, {report.run.header['started'][:10]}"
    return Publication(tuple(changes), message, f"[![{title}]({picture})]({link})")


def _plan_dataset(hub: Hub, report: Report, repo: str, *, with_texts: bool) -> Change:
    live = fetch(hub, repo, "dataset")
    has_results = any(name.startswith(f"{RESULTS}/") for name in live.files)
    if not has_results:
        _check_purpose(repo, live, "dataset", NEUTRAL_FILES)
    files = dataset_files(report, with_texts=with_texts)
    answers = f"{ANSWERS}/{run_name(report)}.jsonl"
    card = {} if has_results else {"README.md": dataset_card(repo)}  # later, its owner may have changed it
    return Change(repo, "dataset", live, {**card, **files}, () if answers in files else (answers,))


def _plan_page(hub: Hub, report: Report, repo: str, dataset: str) -> Change:
    live = fetch(hub, repo, "space")
    if live.sha and live.sdk != "static":
        raise HubError(f"{repo} is a {live.sdk} Space, not a static one.", "Name another Space, or one that is new.")
    _check_purpose(repo, live, "Space", PAGE_FILES)
    return Change(repo, "space", live, page_files(report, page_title(report), dataset))


def _check_purpose(repo: str, live: Live, kind: str, own: set[str]) -> None:
    """Raise `HubError` if a repository has files that no publication writes: it's somebody's other work."""
    if foreign := next((name for name in live.files if name not in own), None):
        raise HubError(
            f"The {kind} {repo} is for something else: it has {foreign}.", f"Name another {kind}, or one that is new."
        )
