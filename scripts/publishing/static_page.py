"""Publishes one HTML file as a static Space: a page without a server, which every account may create."""

from __future__ import annotations

import tempfile
from html.parser import HTMLParser
from pathlib import Path

import yaml

from backends.hub.client import Hub
from publishing.errors import PublishError, StageError
from publishing.hub.account import propose_hardware, subscription
from publishing.hub.plan import HUB_FILES, LiveSpace, fetch_live, make_plan
from publishing.hub.push import push
from publishing.publisher_run import Outcome, PublishOptions, ReportLine
from publishing.staging.content_check import MAX_FILE_BYTES, check_content
from publishing.staging.stage import StagedSpace

README, INDEX = "README.md", "index.html"
MAX_TITLE = 80
_BEGINNING = 1_000  # characters in which an HTML file says what it is


def publish_page(hub: Hub, file: Path, repo: str, options: PublishOptions, report: ReportLine) -> Outcome:
    """Make the static Space `repo` show an HTML file, or print what would change."""
    with tempfile.TemporaryDirectory(prefix="spaceport-page-") as folder:
        space = stage_page(file, Path(folder))
        check_content(space.files)
        live = fetch_live(hub, repo)
        _check_own(repo, live)
        plan = make_plan(repo, space, live)
        is_private = options.private if live.sha is None else live.private
        if live.sha is None:
            _, reason = propose_hardware(subscription(hub, repo.partition("/")[0]), repo, "static", None)
            report(f"{repo}: {reason}")
        report(plan.text())
        if plan.empty or not options.apply:
            return Outcome(file.name, repo, "unchanged" if plan.empty else "planned", live.sha)
        if not (is_private or options.public_documents):
            raise PublishError(
                "Nothing was sent: everybody could read this page, with the words that it quotes.",
                "Add --public-documents, or --private for a new Space.",
            )
        commit = push(hub, plan, f"Publish {file.name}", private=options.private, report=report)
    report(f"{repo}: pushed {commit[:8]}, the page is at {hub.api.endpoint}/spaces/{repo}")
    return Outcome(file.name, repo, "published", commit)


def stage_page(file: Path, folder: Path) -> StagedSpace:
    """Put the file and the Space's README into a folder; raises `StageError` if it's no HTML page."""
    try:
        size = file.stat().st_size
        html = file.read_text(encoding="utf-8") if size <= MAX_FILE_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        raise StageError(f"{file} can't be read as text ({error}).", "Pass an HTML file in UTF-8.") from error
    if size > MAX_FILE_BYTES:
        raise StageError(f"{file} has {size / 1e6:.1f} MB.", f"A page may have {MAX_FILE_BYTES / 1e6:.0f} MB.")
    if "<html" not in html[:_BEGINNING].lower():
        raise StageError(
            f"{file} isn't an HTML page.",
            "Pass a file such as the chat's “Download web page” writes.",
        )
    values = {
        "title": _title(html) or file.stem,
        "emoji": "📄",
        "colorFrom": "blue",
        "colorTo": "indigo",
        "sdk": "static",
        "pinned": False,
    }
    header = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    (folder / README).write_text(f"---\n{header}---\n\nA page without a server.\n", encoding="utf-8")
    (folder / INDEX).write_text(html, encoding="utf-8")
    return StagedSpace(file.name, folder, {name: folder / name for name in (README, INDEX)}, values)


def _check_own(repo: str, live: LiveSpace) -> None:
    """Raise `PublishError` if the Space has files of something else, which would be deleted."""
    others = sorted(set(live.files) - {README, INDEX, *HUB_FILES})
    if others:
        raise PublishError(f"The Space {repo} isn't a page: it has {others[0]}.", "Choose another name with --repo.")


class _TitleParser(HTMLParser):
    """The text of the first <title>."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self._inside = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "title" and not self.title

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.title += data


def _title(html: str) -> str:
    parser = _TitleParser()
    parser.feed(html)
    return " ".join(parser.title.split())[:MAX_TITLE].strip()
