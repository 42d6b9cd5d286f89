"""Every route that the page's server has, asked by somebody who means harm."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import ROOT
from tests.security.conftest import CANARY, Served
from tests.security.wire import Guest, fetch

# What Gradio serves, as it tells it itself. A route that an upgrade adds is looked at before it is added here.
KNOWN = {
    "page": "/ /config /theme.css /favicon.ico /manifest.json /pwa_icon /robots.txt /svelte /assets /static",
    "files": "/gradio_api/file= /gradio_api/file /gradio_api/upload /gradio_api/upload_progress /gradio_api/proxy=",
    "events": "/gradio_api/queue /gradio_api/call /gradio_api/run /gradio_api/api /gradio_api/cancel /gradio_api/reset",
    "sessions": "/gradio_api/heartbeat /gradio_api/stream /gradio_api/component_server /gradio_api/deep_link",
    "descriptions": "/gradio_api/info /gradio_api/openapi.json /gradio_api/app_id /gradio_api/startup-events",
    "people": "/login /logout /gradio_api/login_check /gradio_api/token /gradio_api/user",
    "development": "/monitoring /gradio_api/dev /gradio_api/vibe-edit /gradio_api/undo-vibe-edit /gradio_api/vibe-code "
    "/gradio_api/vibe-starter-queries /gradio_api/custom_component /gradio_api/process_recording /gradio_api/runs "
    "/gradio_api/theme.css",
}
OFF = [
    ("GET", "/docs"),
    ("GET", "/redoc"),
    ("GET", "/monitoring"),
    ("GET", "/monitoring/summary"),
    ("GET", "/gradio_api/deep_link?session_hash=guess"),
    ("GET", "/gradio_api/vibe-code"),
    ("GET", "/gradio_api/runs"),
    ("GET", "/gradio_api/run-history/records"),
    ("GET", "/gradio_api/profiling/summary"),
    ("GET", "/gradio_api/profiling/traces"),
    ("POST", "/gradio_api/stream/guess"),
    ("POST", "/gradio_api/stream/guess/close"),
    ("GET", "/gradio_api/stream/guess/0/1/playlist.m3u8"),
]
READERS = [
    "/gradio_api/file=",
    "/gradio_api/file/",
    "/gradio_api/proxy=",
    "/file=",
    "/static/",
    "/assets/",
    "/svelte/",
    "/gradio_api/custom_component/x/client/",
]


def spellings(path: Path, kept: Path) -> list[str]:
    """Ways to write the path of a file, from a server that keeps its files in `kept`."""
    absolute, up = str(path), "../" * 12 + str(path).lstrip("/")
    return [
        quote(absolute),
        quote(absolute, safe=""),
        quote(absolute, safe="").replace("%", "%25"),
        f"/{absolute}",
        f"//{absolute}",
        f"file://{absolute}",
        up,
        up.replace("../", "..%2f"),
        up.replace("../", "%2e%2e%2f"),
        up.replace("../", "..\\"),
        up.replace("../", "....//"),
        f"{kept}/../{up}",
        f"{kept}/..%2f{up}",
        f"{kept}/%2e%2e/{path.parent.name}/{path.name}",
        path.name,
        f"./{path.name}",
        f"{absolute}%00.png",
        f"{absolute}#.png",
        f"{absolute}?.png",
        f"C:{absolute}",
        f"/proc/self/cwd/{path.name}",
        f"/proc/self/root{absolute}",
    ]


def test_every_route_is_known(guest: Guest) -> None:
    known = {route for routes in KNOWN.values() for route in routes.split()}
    paths = guest.http.get("/openapi.json").json()["paths"]
    assert len(paths) > 60
    for path in paths:
        start = re.split(r"[{]", path)[0].rstrip("/") or "/"
        assert any(start == route or start.startswith(f"{route.rstrip('/')}/") for route in known), path


def test_what_is_not_needed_is_off(served: Served) -> None:
    for method, path in OFF:
        status, body = fetch(served.url, path, method)
        assert 400 <= status < 500, path
        assert CANARY.encode() not in body


def test_every_answer_says_what_a_page_may_load(guest: Guest) -> None:
    paths = ("/", "/config", "/theme.css", "/gradio_api/info", "/gradio_api/file=nowhere", "/nowhere")
    for path in paths:
        answer = guest.http.get(path)
        (policy,) = answer.headers.get_list("content-security-policy")
        for part in ("img-src", "media-src", "font-src"):
            (allowed,) = (each.split() for each in policy.split("; ") if each.startswith(part))
            assert set(allowed[1:]) <= {"'self'", "data:", "blob:"}, path
        assert "object-src 'none'" in policy
        assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("target", ["source", "environment", "catalogue", "log", "notes", "system", "process"])
def test_no_route_reads_a_file_of_the_server(served: Served, target: str) -> None:
    files = {
        "source": ROOT / "spaces/chat_rag/app.py",
        "environment": served.folder / ".env",
        "catalogue": served.folder / "catalog.toml",
        "log": served.app.log,
        "notes": served.folder / "notes.txt",
        "system": Path("/etc/passwd"),
        "process": Path("/proc/self/environ"),
    }
    marks = [CANARY.encode(), b"import gradio", b"root:x:0:0", b"Running on local URL"]
    for reader in READERS:
        for spelling in spellings(files[target], served.kept):
            status, body = fetch(served.url, reader + spelling)
            assert not any(mark in body for mark in marks), (reader, spelling)
            assert status >= 400, (reader, spelling)


def test_no_route_reads_what_a_visitor_keeps(served: Served, victim: Guest) -> None:
    document = victim.keep("private.txt", f"The code is {CANARY}.")
    victim.ask("What is the code?")
    folder = served.data / "visitors" / hashlib.sha256(victim.key.encode()).hexdigest()
    kept = [path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert {path.name for path in kept} >= {"conversation.json", "document.json", "original"}
    for path in [*kept, folder, folder / "documents" / document, served.data]:
        assert path.exists()
        for reader in READERS:
            for spelling in spellings(path, served.kept) if path.name == "original" else [str(path)]:
                status, body = fetch(served.url, reader + spelling)
                assert CANARY.encode() not in body, (reader, spelling)
                assert victim.key.encode() not in body, (reader, spelling)
                assert status >= 400, (reader, spelling)


def test_an_upload_is_found_by_nobody_who_was_not_told_its_address(served: Served, victim: Guest) -> None:
    (path,) = victim.upload("private.txt", f"The code is {CANARY}.".encode()).json()
    place = Path(path)
    assert place.parent.parent == served.kept
    assert re.fullmatch(r"[0-9a-f]{64}", place.parent.name)
    for guess in [served.kept, place.parent, served.kept / place.name, place.parent / "*", f"{place.parent}/"]:
        for reader in READERS:
            status, body = fetch(served.url, f"{reader}{guess}")
            assert CANARY.encode() not in body
            assert status >= 400, (reader, guess)


def test_a_read_document_lies_nowhere_any_more(served: Served, victim: Guest) -> None:
    (path,) = victim.upload("private.txt", f"The code is {CANARY}.".encode()).json()
    before = served.files()
    assert Path(path) in before
    file = {"path": path, "orig_name": "private.txt", "meta": {"_type": "gradio.FileData"}}
    assert "private.txt" in victim.call("upload", victim.inputs("upload", drop=[file])).said
    assert not [kept for kept in served.files() if CANARY.encode() in kept.read_bytes()]
    status, body = fetch(served.url, f"/gradio_api/file={path}")
    assert status >= 400
    assert CANARY.encode() not in body


def test_an_upload_stays_in_its_folder(served: Served, guest: Guest) -> None:
    up = ["../../../evil.txt", "/etc/evil.txt", "..\\..\\evil.txt", "%2e%2e%2fevil.txt", ".."]
    for name in [*up, "evil\x00.txt", "é" * 300]:
        answer = guest.upload(name, b"evil-content")
        assert answer.status_code in (200, 400), name
        for path in answer.json() if answer.status_code == 200 else []:
            assert served.kept in Path(path).resolve().parents, name
    assert not (served.folder / "evil.txt").exists()
    assert not Path("/etc/evil.txt").exists()


def test_an_event_takes_no_file_that_was_not_uploaded(served: Served, guest: Guest, victim: Guest) -> None:
    victim.keep("private.txt", f"The code is {CANARY}.")
    (held,) = (served.data / "visitors" / hashlib.sha256(victim.key.encode()).hexdigest()).rglob("original")
    for path in (served.folder / "notes.txt", served.folder / ".env", served.app.log, held, Path("/etc/passwd")):
        file = {"path": str(path), "orig_name": "notes.txt", "meta": {"_type": "gradio.FileData"}}
        for given in ([file], file, [file | {"meta": {}}], [str(path)], [{"path": str(path)}]):
            ended = guest.call("upload", guest.inputs("upload", drop=given))
            assert not ended.success
            assert CANARY not in ended.said
        assert path.exists()  # what is read is deleted afterwards


def test_a_link_in_the_upload_folder_leads_nowhere(served: Served) -> None:
    """No visitor can make one; whoever unpacks an archive there some day would."""
    link = served.kept / "link.txt"
    link.symlink_to(served.folder / "notes.txt")
    try:
        status, body = fetch(served.url, f"/gradio_api/file={link}")
    finally:
        link.unlink()
    assert CANARY.encode() not in body
    assert status >= 400


@pytest.mark.parametrize("route", ["/gradio_api/proxy=", "/gradio_api/file="])
def test_the_server_fetches_no_address_for_others(served: Served, route: str) -> None:
    asked = len(served.model.asked)
    for address in (served.model.url, served.model.url.replace("127.0.0.1", "localhost"), "http://169.254.169.254/"):
        for spelling in (address, quote(address, safe=""), address.upper()):
            status, body = fetch(served.url, route + spelling)
            assert status >= 400
            assert b"scripted" not in body
    assert len(served.model.asked) == asked


def test_no_method_of_a_component_can_be_called(guest: Guest) -> None:
    for function in ("preprocess", "__init__", "get_config", "ls", "copy"):
        for component in guest.components:
            body = {"data": "/etc", "component_id": component, "session_hash": guest.session, "fn_name": function}
            answer = guest.http.post("/gradio_api/component_server", json=body)
            assert answer.status_code == 404, (function, component)


def test_what_the_page_tells_of_itself_holds_no_secret_and_no_path(served: Served, guest: Guest) -> None:
    for path in ("/", "/config", "/gradio_api/info?all_endpoints=true", "/gradio_api/openapi.json", "/openapi.json"):
        text = guest.http.get(path).text
        for secret in (CANARY, str(ROOT), str(served.folder), str(served.kept)):
            assert secret not in text, path
    named = guest.http.get("/gradio_api/info").json()["named_endpoints"]
    assert list(named) == ["/ask_documents"]
