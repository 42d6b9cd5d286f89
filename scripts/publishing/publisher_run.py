"""What one run of the publisher is asked to do, and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from publishing.hub.settings import NO_SETTINGS, SpaceSettings
from publishing.hub.watch import WaitOptions

ReportLine = Callable[[str], None]


@dataclass
class Outcome:
    """The result for one Space; `commit` is the one that it runs, `error` and `remedy` are set if it failed."""

    space: str
    repo: str
    state: str
    commit: str | None = None
    error: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """The steps to take; without `apply`, publishing only plans.

    `trial` starts the staged app first, `wait` waits until the Space runs the commit, `smoke_test` then sends it a
    request, `allow_deletes` skips the question before many deletions, `rollback` undoes a commit that doesn't run.
    `include` names files that git doesn't track. `documents` is a folder of documents, or a library, that the Space
    answers from; they are sent only with `public_documents`. `page` is the file with the texts of their page.
    """

    root: Path
    settings: SpaceSettings = NO_SETTINGS
    wait_options: WaitOptions = field(default_factory=WaitOptions)
    apply: bool = False
    private: bool = False
    trial: bool = True
    wait: bool = True
    smoke_test: bool = True
    allow_deletes: bool = False
    rollback: bool = False
    include: tuple[str, ...] = ()
    documents: Path | None = None
    page: Path | None = None
    public_documents: bool = False
    preview: bool = False
