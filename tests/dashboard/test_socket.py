"""Attacks on the dashboard over its WebSocket: what one client sends must not cost the others anything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path

import httpx2
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from dashboard_pages.widget_values import FIELDS
from tests.dashboard.ledgers import write_ledger
from tests.helpers.apps import App
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import free_port, serving
from tests.security.test_edges import peak_growth

PAGES = ("", "performance", "runs", "costs")
VALUES = {
    "trigger_value": True,
    "bool_value": True,
    "double_value": 1.0,
    "int_value": 1,
    "string_value": "x",
    "json_value": "{",
    "bytes_value": b"\xff",
    "json_trigger_value": "{",
    "double_array_value": [1.0, 2.0, 3.0],
    "int_array_value": [1],
    "string_array_value": ["x"],
    "chat_input_value": "x",
    "file_uploader_state_value": "x",
}


@pytest.fixture(scope="module")
def app(start_app: Callable[..., App], tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    port, catalog = free_port(), tmp_path_factory.mktemp("dashboard") / "catalog.toml"
    with serving(ScriptedModel()) as model:
        catalog.write_text(f'[scripted]\nkind = "openai"\nurl = "{model.url}"\nmodel = "scripted"\n')
        yield start_app(
            "--server.port", str(port), "--server.address", "127.0.0.1",
            command=[sys.executable, "spaces/dashboard/serve.py"], port=port, SPACEPORT_CATALOG=str(catalog),
            SPACEPORT_PROMETHEUS_URL="http://127.0.0.1:9",
            SPACEPORT_DATABASE_URL=write_ledger(catalog.with_name("ledger.db")),
        )  # fmt: skip


class Page:
    """A page of the dashboard as a client without a browser sees it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.widgets: dict[str, str] = {}  # ids by key
        self.hashes: dict[str, str] = {}  # of the pages, by path
        self.shown = ""
        self.session = ""

    def send(self, message: BackMsg) -> None:
        self.connection.send(message.SerializeToString())

    def run(self, path: str = "", *states: WidgetState) -> int:
        """Run the script as a page does, and return how it ended."""
        message = BackMsg()
        message.rerun_script.page_script_hash = self.hashes.get(path, "")
        message.rerun_script.widget_states.widgets.extend(states)
        self.send(message)
        self.shown = ""
        while not (received := self.receive()).HasField("script_finished"):
            self._read(received)
        return int(received.script_finished)

    def receive(self, seconds: float = 30) -> ForwardMsg:
        return ForwardMsg.FromString(self.connection.recv(timeout=seconds, decode=False))

    def received_kinds(self, seconds: float) -> set[str | None]:
        """Return what arrives until nothing has come for some seconds."""
        kinds: set[str | None] = set()
        with suppress(TimeoutError):
            while True:
                kinds.add(self.receive(seconds).WhichOneof("type"))
        return kinds

    def _read(self, message: ForwardMsg) -> None:
        self.hashes |= {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        self.session = message.new_session.initialize.session_id or self.session
        element = message.delta.new_element
        if kind := element.WhichOneof("type"):
            self.shown += str(element)
            name = getattr(getattr(element, kind), "id", "")
            if name.startswith("$$ID-") and kind != "plotly_chart":  # whose clicks nothing asks for
                self.widgets[name.split("-", 2)[-1]] = name


@contextmanager
def connection(app: App) -> Iterator[Page]:
    """Open the connection of a page."""
    url = f"{app.url.replace('http', 'ws', 1)}/_stcore/stream"
    with connect_socket(url, max_size=None, max_queue=None, ping_interval=None) as opened:
        yield Page(opened)


@contextmanager
def open_page(app: App, path: str = "") -> Iterator[Page]:
    """Open a page and run its script."""
    with connection(app) as page:
        page.run()
        if path:
            page.run(path)
        yield page


def state(name: str, field: str, value: object) -> WidgetState:
    """Return a widget's value as a client sends it."""
    result = WidgetState(id=name)
    if field == "chat_input_value":
        result.chat_input_value.data = str(value)
    elif field == "file_uploader_state_value":
        result.file_uploader_state_value.uploaded_file_info.add(file_id=str(value), name="x.exe", size=1)
    elif field.endswith("_array_value"):
        getattr(result, field).data.extend(value)
    else:
        setattr(result, field, value)
    return result


def threads(app: App) -> int:
    return len(list(Path(f"/proc/{app.process.pid}/task").iterdir()))


def tracebacks(app: App) -> int:
    return app.log.read_bytes().count(b"Traceback")


def test_no_visitor_clears_the_caches_of_all_visitors(app: App) -> None:
    """With the caches go the loop that all answers run on, and the models in memory."""
    with open_page(app) as page:
        before = threads(app)
        for _ in range(10):
            page.send(BackMsg(clear_cache=True))
            page.run()
        assert threads(app) < before + 10


@pytest.mark.parametrize(
    "message",
    [BackMsg(load_git_info=True), BackMsg(set_run_on_save=True), BackMsg(debug_shutdown_runtime=True)],
    ids=str,
)
def test_what_only_a_developer_needs_has_no_effect(app: App, message: BackMsg) -> None:
    logged = len(app.log.read_bytes())
    with open_page(app) as page:
        page.received_kinds(0.5)
        page.send(message)
        assert not page.received_kinds(1)
        page.run()
    assert not app.log.read_bytes()[logged:]


def test_a_request_for_many_upload_addresses_takes_no_memory(app: App) -> None:
    """900 kB of names became 440 MB."""
    message = BackMsg()
    message.file_urls_request.file_names.extend(["a"] * 300_000)

    def ask() -> None:
        with open_page(app) as page:
            page.send(message)
            with pytest.raises(ConnectionClosedError):
                while True:
                    page.receive()

    assert peak_growth(app, ask) < 50_000_000


@pytest.mark.parametrize("path", PAGES)
def test_a_value_of_the_wrong_type_ends_the_connection_without_an_error(app: App, path: str) -> None:
    logged = tracebacks(app)
    with open_page(app, path) as page:
        widgets, hashes = page.widgets, page.hashes
    assert widgets.keys() <= FIELDS.keys()
    for key, name in widgets.items():
        own = {FIELDS[key], "int_value"} if FIELDS[key] == "double_value" else {FIELDS[key]}
        for field in VALUES.keys() - own:
            with connection(app) as page, pytest.raises(ConnectionClosedError) as caught:
                page.hashes = hashes
                page.run(path, state(name, field, VALUES[field]))
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1003
    with open_page(app):
        assert tracebacks(app) == logged


ODD: dict[str, list[tuple[str, object]]] = {
    "double_array_value": [("double_array_value", value) for value in ([], [float("nan")], [1e300], [1.0] * 1000)],
    "double_value": [
        *(("double_value", value) for value in (-1.0, 1e300, 0.5)), *(("int_value", value) for value in (-1, 2**62))
    ],
    "string_value": [("string_value", value) for value in ("", "nobody's", "x" * 100_000)],
    "string_array_value": [("string_array_value", value) for value in ([], ["x"], ["15 min", "1 h"], ["x"] * 1000)],
    "chat_input_value": [("chat_input_value", value) for value in ("", " ", "x" * 100_000)],
    "file_uploader_state_value": [("file_uploader_state_value", "x")],
    "trigger_value": [("trigger_value", True), ("trigger_value", False)],
}  # fmt: skip
CHOICES = ("target", "run")  # what is drawn depends on them: each odd value has a run of its own


def odd_states(widgets: dict[str, str]) -> Iterator[list[WidgetState]]:
    """Yield the odd values for each run of a page: those of a choice, and then one of each other widget at once."""
    for key in widgets.keys() & set(CHOICES):
        yield from ([state(widgets[key], *value)] for value in ODD[FIELDS[key]])
    others = [
        [state(name, *value) for value in ODD[FIELDS[key]]] for key, name in widgets.items() if key not in CHOICES
    ]
    for states in zip_longest(*others):
        yield [each for each in states if each]


@pytest.mark.parametrize("path", PAGES)
def test_an_odd_value_of_the_right_type_breaks_no_page(app: App, path: str) -> None:
    logged = tracebacks(app)
    with open_page(app, path) as page:
        for states in odd_states(dict(page.widgets)):
            page.run(path, *states)
            assert "exception {" not in page.shown, str(states)[:2000]
    assert tracebacks(app) == logged


def test_an_upload_of_another_kind_of_file_breaks_no_page(app: App) -> None:
    logged = tracebacks(app)
    with open_page(app, "runs") as page, httpx2.Client(base_url=app.url, timeout=60) as browser:
        browser.get("/_stcore/health")
        for number, name in enumerate(("run.exe", "run", ".jsonl", "run.jsonl\0.exe", "run.jsonl")):
            response = browser.put(
                f"/_stcore/upload_file/{page.session}/{number}",
                files={"file": (name, b"x")},
                headers={"X-Xsrftoken": browser.cookies["_streamlit_xsrf"]},
            )
            assert response.status_code == 204
            page.run("runs", state(page.widgets["upload"], "file_uploader_state_value", number))
            assert "exception {" not in page.shown, name
    assert "a stored run" in page.shown
    assert tracebacks(app) == logged


def test_a_number_that_is_none_ends_the_connection(app: App) -> None:
    logged = tracebacks(app)
    for value in (float("nan"), float("inf")):
        with open_page(app) as page, pytest.raises(ConnectionClosedError):
            page.run("", state(page.widgets["max_tokens"], "double_value", value))
    assert tracebacks(app) == logged
