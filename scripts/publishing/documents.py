"""The documents of a Space: beside its app, or in a dataset that it mounts if they are too large for that."""

from __future__ import annotations

from dataclasses import replace

from backends.hub.client import Hub
from backends.hub.errors import HubError
from publishing.errors import PublishError
from publishing.hub.library import mount_library, plan_library
from publishing.hub.plan import MOUNT, PublishPlan, make_plan
from publishing.hub.push import create_if_missing, push
from publishing.hub.settings import NO_SETTINGS, apply_settings
from publishing.hub.watch import restart
from publishing.publisher_run import PublishOptions, ReportLine
from publishing.staging.content_check import check_content
from publishing.staging.documents import add_documents, open_documents
from publishing.staging.page import add_page, make_page, read_page, set_library_commit
from publishing.staging.stage import StagedSpace

VARIABLE = "SPACEPORT_LIBRARY"  # tells the page of a trial where its library is
NEW_COMMIT = "the commit that this publication makes"


def with_documents(
    hub: Hub, space: StagedSpace, repo: str, options: PublishOptions, report: ReportLine
) -> tuple[StagedSpace, PublishPlan | None]:
    """Return the Space with the documents, and the plan of their own dataset if they are too large for the Space."""
    assert options.documents  # noqa: S101
    if "rag/__main__.py" not in space.files:
        raise PublishError(f"{space.name} doesn't read documents.", "Publish them with chat_rag.")
    documents = open_documents(options.documents, space.folder.parent / "library")
    page = read_page(options.page) if options.page else make_page(documents)
    report("\n".join([documents.warning(repo), *page.lines()]))
    if options.apply and not options.public_documents:
        raise PublishError("Nothing was sent: others could read these documents.", "Add --public-documents.")
    if not documents.is_large:
        return add_page(add_documents(space, documents), page), None
    if options.preview:
        raise PublishError(f"The library has {documents.bytes / 1e6:.1f} MB.", "Give a preview fewer documents.")
    check_content(documents.files, any_size=True)
    library = plan_library(hub, repo, page.text.title, documents, space.folder.parent / "dataset")
    # The files say where the library is, and which commit: a rollback finds those of its own time.
    commit = (library.live.sha or "") if library.empty else NEW_COMMIT
    mounted = replace(page, text=replace(page.text, library=MOUNT, library_commit=commit))
    return replace(add_page(space, mounted), variables={VARIABLE: str(documents.library)}), library


def push_library(hub: Hub, plan: PublishPlan, message: str, options: PublishOptions, report: ReportLine) -> PublishPlan:
    """Push the library to its dataset and mount that commit; return the plan for the Space, which exists then.

    The Space and its settings come first: they are what the Hub refuses most often, and then no document is sent.
    """
    assert plan.library  # noqa: S101
    is_new = plan.live.sha is None
    plan = create_if_missing(hub, plan, private=options.private)
    apply_settings(hub, plan.repo, plan.settings)
    plan = replace(plan, settings=NO_SETTINGS)
    assert plan.library  # noqa: S101
    try:
        revision = push(hub, plan.library, message, report=report)
    except HubError as error:
        left = f"The Space {plan.repo} is there and empty. Run the command again" if is_new else "Run it again"
        raise HubError(error.message, f"{left} when the reason is gone. {error.remedy}", status=error.status) from None
    report(f"{plan.library.repo}: pushed {revision[:8]}")
    mount_library(hub, plan, revision)
    set_library_commit(plan.space, revision)
    plan = make_plan(plan.repo, plan.space, plan.live, plan.settings, library=plan.library)
    if not is_new and not plan.changes_files:
        restart(hub, plan.repo)
    return plan
