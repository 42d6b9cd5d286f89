"""Fixtures for tests of several folders: the test data, a browser, and running Spaces."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ui.gradio_imports  # noqa: F401 - before Gradio
from backends.machine.processors import usable_processors
from rag.search.embedding.embedders import RUNTIME
from tests.helpers.apps import App, running_app
from tests.helpers.groups import GroupScheduling, group, is_left_out, needs
from tests.helpers.page_log import PageLog, sections

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

ROOT = Path(__file__).parent.parent
# The authorities that this machine trusts, for the images.
CERTIFICATES = ssl.get_default_verify_paths()
DATA = Path(os.environ.get("SPACEPORT_TEST_DATA", ROOT.parent / "shared" / "data"))
PAGES = pytest.StashKey[list[PageLog]]()
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def missing(requirement: str) -> None:
    """Skip with the reason on a user's machine. Fail in CI, which must have everything."""
    if os.environ.get("CI"):
        pytest.fail(f"CI needs {requirement}")
    pytest.skip(f"{requirement} is not here")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real browser."""
    # The first is Chromium without windows: it opens a page with half the CPU time, 1.1 s for 2.3 (November 2026).
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if not path:
        missing("chromium (apt-get install chromium-headless-shell)")
    return str(path)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # The scope is a module, not the session: while Playwright runs, its thread has a running event loop, and
    # asynchronous tests of other folders can't start theirs.
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # the machine may be slow; assertions pass as soon as they are true
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Open an empty page for a new visitor, who shares no cookie or storage with another.

    Other options are those of `Browser.new_context`, such as `locale` and `has_touch`.
    """
    contexts = []
    pages = request.node.stash[PAGES] = []  # a test that runs again has new ones

    def open_one(*, width: int = 1280, height: int = 860, dark: bool = False, **options: Any) -> Page:
        scheme = "dark" if dark else "light"
        viewport: ViewportSize = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=viewport, color_scheme=scheme, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        pages.append(PageLog(page))
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(new_page: Callable[..., Page]) -> Callable[..., Page]:
    """Open a Gradio app as a new visitor."""

    def open_one(app: App, *, dark: bool = False, until: str = "#question textarea", **options: Any) -> Page:
        page = new_page(dark=dark, **options)
        page.goto(f"{app.url}/?__theme={'dark' if dark else 'light'}")
        page.wait_for_selector(until)
        return page

    return open_one


@pytest.fixture(scope="module")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., App]]:
    """Start a Space with these arguments and environment. It stops when the module ends."""
    with ExitStack() as apps:

        def start(*arguments: str, **options: object) -> App:
            folder = tmp_path_factory.mktemp("app")
            return apps.enter_context(running_app(folder, *arguments, **options))  # type: ignore[arg-type]

        yield start


@pytest.fixture(scope="module")
def small_heap() -> None:
    """Hide what earlier tests imported: a measurement collects garbage before each block, which took half a second."""
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Give each test process its share of the processors, and let interruptions through.

    Two models at once, each with a thread for every processor, take twice the CPU time: threads wait for each other.
    """
    # A shell starts background jobs with SIGINT ignored, and so does whatever they start: nothing could be interrupted.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # On a processor with AMX, each of the many processes that embed a sentence would import torch: 6.4 s of CPU time,
    # 0.5 with onnxruntime (2026-11-30). test_embedders.py tests both.
    os.environ.setdefault(RUNTIME, "onnx")
    # Of a file, each HTTP client loads all authorities in 33 ms, also for 127.0.0.1; of a folder, those that it needs.
    if CERTIFICATES.capath:
        os.environ.pop("SSL_CERT_FILE", None)
        os.environ["SSL_CERT_DIR"] = CERTIFICATES.capath
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_processors() // workers)))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Don't import modules all of whose tests `-m` leaves out, as in `make quick`: each process would do so."""
    if not collection_path.is_relative_to(ROOT):
        return None
    module = collection_path.relative_to(ROOT).as_posix()
    return is_left_out(module, config.getoption("markexpr")) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a browser, containers, models or much time, and run their groups first.

    In CI, a test of several processes that fails runs once more: on two busy processors about one of them failed in
    each whole run (November 2026).
    The short groups at the end keep all processes busy until the last moment.
    """
    long_groups = set()
    for item in items:
        marks = needs(item.nodeid, getattr(item, "fixturenames", ()))
        if os.environ.get("CI") and {"browser", "containers"} & set(marks):
            item.add_marker(pytest.mark.flaky(reruns=1))
        for mark in marks:
            item.add_marker(mark)
        if marks:
            long_groups.add(group(item.nodeid))
    items.sort(key=lambda item: group(item.nodeid) not in long_groups)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the pages did when a test fails: the failure may not come again."""
    report = yield
    if report.failed:
        report.sections += sections(getattr(item, "funcargs", {}), item.stash.get(PAGES, []))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the first failure of each test that ran again: it may be an event that was lost."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"failed at first: {report.nodeid}")
        report.toterminal(terminalreporter._tw)
        for name, text in report.sections:
            terminalreporter.section(name, "-")
            terminalreporter.write_line(text)


def pytest_collection_finish() -> None:
    """Hide what the imports created from the garbage collector: a full collection takes most of a second otherwise."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Schedule by group. The `xdist_group` mark has no effect with pytest 9.2 and xdist 3.8."""
    config.option.loadscopereorder = False
    return GroupScheduling(config, log)
