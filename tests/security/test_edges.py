"""Attacks at the edge of a page: what a client sends or holds open costs the server little, and others are served."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.helpers.apps import App, running_app
from tests.helpers.servers import wait_until
from tests.security.wire import Guest

MB = 1_000_000
BIG = 64 * MB
# What the server may need more than before, at its peak, for a request of `BIG`.
GROWTH = 24 * MB
FILE_MB, ADDRESS_MB, CONNECTIONS = 16, 40, 200


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A chat page with small limits, and its uploads in the folder beside the log."""
    folder = tmp_path_factory.mktemp("edge")
    (folder / "catalog.toml").write_text('[gone]\nkind = "openai"\nurl = "http://127.0.0.1:9/v1"\n')
    environment = {
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "SPACEPORT_MAX_FILE_MB": str(FILE_MB),
        "SPACEPORT_ADDRESS_UPLOADS_MB": str(ADDRESS_MB),
        "SPACEPORT_MAX_CONNECTIONS": str(CONNECTIONS),
        "SPACEPORT_FRAME_ANCESTORS": "https://portal.example.com",
    }
    with running_app(folder, "--catalog", str(folder / "catalog.toml"), **environment) as app:
        yield app


@pytest.fixture
def uploads(edge: App) -> Iterator[Path]:
    """The upload folder, empty."""
    folder = edge.log.parent / "uploads"
    yield folder
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


def stored(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def peak_growth(app: App, work: Callable[[], object]) -> int:
    """Return by how many bytes the server's memory grows at its peak while `work` runs."""
    process = Path(f"/proc/{app.process.pid}")
    (process / "clear_refs").write_text("5")  # the peak starts again from the current size
    before = _peak(process)
    work()
    return _peak(process) - before


def _peak(process: Path) -> int:
    (line,) = (line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def connect(app: App) -> socket.socket:
    parts = urlsplit(app.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)


def send(app: App, head: str, body: Iterator[bytes] | tuple[bytes, ...] = ()) -> bytes:
    """Send a request until the server answers or closes, and return the answer."""
    with connect(app) as connection:
        answer = b""
        try:
            connection.sendall(head.replace("\n", "\r\n").encode())
            for part in body:
                connection.sendall(part)
                connection.settimeout(0.001)
                try:
                    answer += connection.recv(65536)
                    break
                except TimeoutError:
                    connection.settimeout(30)
            connection.settimeout(30)
            connection.shutdown(socket.SHUT_WR)  # otherwise the server waits for seconds for the rest
            while part := connection.recv(65536):
                answer += part
        except OSError:
            pass  # the server doesn't read on
        return answer


def blocks(size: int, before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    yield before
    for _ in range(size // MB):
        yield b"x" * MB
    yield after


def chunked(parts: Iterator[bytes]) -> Iterator[bytes]:
    for part in parts:
        if part:
            yield b"%x\r\n%b\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


PART = b'--b\r\nContent-Disposition: form-data; name="files"%b\r\n\r\n'
FIELD, FILE, END = PART % b"", PART % b'; filename="x.txt"', b"\r\n--b--\r\n"
UPLOAD = "POST /gradio_api/upload HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=b\n"
JSON = "POST /gradio_api/queue/join HTTP/1.1\nHost: x\nContent-Type: application/json\n"
CHUNKED = "Transfer-Encoding: chunked\n\n"


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        (UPLOAD + CHUNKED, lambda: chunked(blocks(BIG, FIELD, END)), b"400"),
        (UPLOAD + f"Content-Length: {BIG}\n\n", lambda: blocks(BIG, FIELD), b"413"),
        (UPLOAD + CHUNKED, lambda: chunked(blocks(BIG, FILE, END)), b"413"),
        (JSON + CHUNKED, lambda: chunked(blocks(BIG, b'{"data": "', b'"}')), b"413"),
        (JSON + f"Content-Length: {BIG}\n\n", lambda: blocks(BIG, b'{"data": "'), b"413"),
        (JSON.replace("queue/join", "cancel") + CHUNKED, lambda: chunked(blocks(BIG, b'{"data": "', b'"}')), b"413"),
        ("POST /login HTTP/1.1\nHost: x\nContent-Type: application/x-www-form-urlencoded\n" + CHUNKED,
         lambda: chunked(blocks(BIG, b"username=")), b"413"),
        ("GET / HTTP/1.1\nHost: x\nX-Long: ", lambda: blocks(BIG), b"431"),
        ("GET /?", lambda: blocks(BIG), b"431"),
    ],
    ids=["field", "field with a length", "file", "JSON", "JSON with a length", "cancel", "form", "header", "query"],
)  # fmt: skip
def test_a_large_request_is_not_collected(
    edge: App, uploads: Path, head: str, body: Callable[[], Iterator[bytes]], status: bytes
) -> None:
    answers: list[bytes] = []
    assert peak_growth(edge, lambda: answers.append(send(edge, head, body()))) < GROWTH
    assert answers[0].startswith(b"HTTP/1.1 " + status)
    assert b"limit is" in answers[0] or b"only contain files" in answers[0]
    wait_until(lambda: stored(uploads) == 0, 10)


@pytest.mark.parametrize(
    "parts",
    [
        FIELD + b"x",
        PART.replace(b"files", b"other") % b'; filename="x.txt"' + b"x",
        b"\r\n".join([FILE + b"x"] * 100),
        FILE + b"x\r\n--b\r\nbroken",
    ],
    ids=["a field", "a file under another name", "too many files", "broken"],
)
def test_a_refused_upload_leaves_no_file(edge: App, uploads: Path, parts: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = httpx2.post(f"{edge.url}/gradio_api/upload", content=parts + END, headers=headers, verify=False)
    assert answer.status_code in (400, 413)
    assert answer.headers["content-type"].startswith("text/plain")
    assert list(uploads.glob("tmp*")) == []


def test_an_upload_that_breaks_off_leaves_no_file(edge: App, uploads: Path) -> None:
    for _ in range(4):
        with connect(edge) as connection:
            connection.sendall(f"{UPLOAD}Content-Length: {8 * MB}\n\n".replace("\n", "\r\n").encode())
            connection.sendall(FILE + b"x" * MB)
            wait_until(lambda: stored(uploads) > 0, 10)
        wait_until(lambda: stored(uploads) == 0, 10)
    assert list(uploads.glob("tmp*")) == []


def test_unused_uploads_have_only_so_much_room(edge: App, uploads: Path) -> None:
    """The limit is for an address: what others upload doesn't count."""
    with httpx2.Client(base_url=edge.url, verify=False) as client:
        answers = [
            client.post("/gradio_api/upload", files={"files": ("x.txt", secrets.token_bytes(4 * MB))})
            for _ in range(2 * ADDRESS_MB // 4)
        ]
        assert stored(uploads) <= ADDRESS_MB * MB
        assert answers[0].status_code == 200
        assert answers[-1].status_code == 429
        assert f"{ADDRESS_MB} MB" in answers[-1].text
        assert int(answers[-1].headers["retry-after"]) > 0
        elsewhere = {"x-forwarded-for": "203.0.113.9"}  # as if from a proxy: the page trusts those on this machine
        files = {"files": ("x.txt", b"x")}
        assert client.post("/gradio_api/upload", files=files, headers=elsewhere).status_code == 200


def test_an_honest_upload_of_the_largest_size_is_stored(edge: App, uploads: Path) -> None:
    def upload() -> bool:
        content = secrets.token_bytes(FILE_MB * MB)
        answer = httpx2.post(f"{edge.url}/gradio_api/upload", files={"files": ("x.txt", content)}, verify=False)
        assert answer.status_code in (200, 429), answer.text
        return answer.status_code == 200 and Path(answer.json()[0]).read_bytes() == content

    wait_until(upload, 10)  # the page looks for deleted files at most once a second


def test_two_visitors_can_send_the_same_file(edge: App, uploads: Path) -> None:
    """Both had one file: the page deleted it after the first was done, and the second read an error."""
    guests = [Guest(edge.url) for _ in range(2)]
    content = b"The kettle holds 1.7 litres."
    paths = [guest.upload("kettle.txt", content).json()[0] for guest in guests]
    for guest, path in zip(guests, paths, strict=True):
        file = {"path": path, "orig_name": "kettle.txt", "meta": {"_type": "gradio.FileData"}}
        assert "data-remove" in guest.call("upload", guest.inputs("upload", drop=[file])).stream
        guest.http.close()
    wait_until(lambda: stored(uploads) == 0, 10)


def test_many_files_arrive_in_one_upload(edge: App, uploads: Path) -> None:
    """Browsers accept compressed answers, and Gradio compresses long ones."""
    files = [("files", (f"{number}.txt", b"same")) for number in range(20)]
    answer = httpx2.post(f"{edge.url}/gradio_api/upload", files=files, verify=False)
    assert sorted(Path(path).read_bytes() for path in answer.json()) == [b"same"] * 20


def test_an_upload_is_deleted_after_its_use(edge: App, uploads: Path) -> None:
    guest = Guest(edge.url)
    guest.add_document("kettle.txt", "The kettle holds 1.7 litres.")
    wait_until(lambda: stored(uploads) == 0, 10)
    guest.http.close()


def test_idle_and_slow_connections_leave_room_for_others(edge: App) -> None:
    """300 clients send a head in small pieces, 1,000 send nothing."""
    with ExitStack() as connections:
        for number in range(1_300):
            connection = connections.enter_context(connect(edge))
            if number < 300:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        wait_until(lambda: open_sockets(edge) <= CONNECTIONS + 20, 8)
        started = time.monotonic()
        guest = Guest(edge.url)
        assert guest.is_alive()
        assert time.monotonic() - started < 30  # it isn't a measurement: before, no connection was left
        guest.http.close()


def open_sockets(app: App) -> int:
    links = Path(f"/proc/{app.process.pid}/fd").iterdir()
    return sum(_is_socket(link) for link in links)


def _is_socket(link: Path) -> bool:
    try:
        return link.readlink().name.startswith("socket:")
    except OSError:
        return False


def test_the_policy_names_who_may_show_the_page_in_a_frame(edge: App) -> None:
    for path, status in (("/", 200), ("/monitoring", 404)):
        answer = httpx2.get(f"{edge.url}{path}", verify=False)
        assert answer.status_code == status
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'self'"
        assert policy["frame-ancestors"] == "'self' https://portal.example.com"
        assert policy["object-src"] == policy["frame-src"] == "'none'"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-dns-prefetch-control"] == "off"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
