"""Every route of the page's server, requested by an attacker."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import ROOT
from tests.security.conftest import CANARY, Served
from tests.security.wire import Guest, fetch

# The routes that Gradio lists. Review a route that an upgrade adds before you add it here.
REVIEWED = {
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


def spellings(path: Path, uploads: Path) -> list[str]:
    """Return ways to write the path of a file, for a server that serves files from `uploads`."""
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
        f"{uploads}/../{up}",
        f"{uploads}/..%2f{up}",
        f"{uploads}/%2e%2e/{path.parent.name}/{path.name}",
        path.name,
        f"./{path.name}",
        f"{absolute}%00.png",
        f"{absolute}#.png",
        f"{absolute}?.png",
        f"C:{absolute}",
        f"/proc/self/cwd/{path.name}",
        f"/proc/self/root{absolute}",
    ]


def test_every_route_is_reviewed(guest: Guest) -> None:
    reviewed = {route for routes in REVIEWED.values() for route in routes.split()}
    paths = guest.http.get("/openapi.json").json()["paths"]
    assert len(paths) > 60
    for path in paths:
        start = re.split(r"[{]", path)[0].rstrip("/") or "/"
        assert any(start == route or start.startswith(f"{route.rstrip('/')}/") for route in reviewed), path


def test_routes_that_the_page_does_not_need_are_off(served: Served) -> None:
    for method, path in OFF:
        status, body = fetch(served.url, path, method)
        assert 400 <= status < 500, path
        assert CANARY.encode() not in body


def test_every_response_has_the_content_security_policy(guest: Guest) -> None:
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
        for spelling in spellings(files[target], served.uploads):
            status, body = fetch(served.url, reader + spelling)
            assert not any(mark in body for mark in marks), (reader, spelling)
            assert status >= 400, (reader, spelling)


def test_no_route_reads_the_data_of_a_visitor(served: Served, victim: Guest) -> None:
    document = victim.add_document("private.txt", f"The code is {CANARY}.")
    victim.ask("What is the code?")
    folder = served.data / "visitors" / hashlib.sha256(victim.key.encode()).hexdigest()
    stored = [path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert {path.name for path in stored} >= {"document.json", "original"}
    assert "conversations" in {path.parent.name for path in stored}
    for path in [*stored, folder, folder / "documents" / document, served.data]:
        assert path.exists()
        for reader in READERS:
            for spelling in spellings(path, served.uploads) if path.name == "original" else [str(path)]:
                status, body = fetch(served.url, reader + spelling)
                assert CANARY.encode() not in body, (reader, spelling)
                assert victim.key.encode() not in body, (reader, spelling)
                assert status >= 400, (reader, spelling)


def test_an_upload_needs_its_full_address(served: Served, victim: Guest) -> None:
    (path,) = victim.upload("private.txt", f"The code is {CANARY}.".encode()).json()
    place = Path(path)
    assert place.parent.parent == served.uploads
    assert re.fullmatch(r"[0-9a-f]{64}", place.parent.name)
    for guess in [served.uploads, place.parent, served.uploads / place.name, place.parent / "*", f"{place.parent}/"]:
        for reader in READERS:
            status, body = fetch(served.url, f"{reader}{guess}")
            assert CANARY.encode() not in body
            assert status >= 400, (reader, guess)


def test_an_upload_is_deleted_after_it_is_read(served: Served, victim: Guest) -> None:
    before = served.files()
    (path,) = victim.upload("private.txt", f"The code is {CANARY}.".encode()).json()
    assert Path(path).exists()
    file = {"path": path, "orig_name": "private.txt", "meta": {"_type": "gradio.FileData"}}
    assert "private.txt" in victim.call("upload", victim.inputs("upload", drop=[file])).stream
    assert not [file for file in served.files() - before if CANARY.encode() in file.read_bytes()]
    status, body = fetch(served.url, f"/gradio_api/file={path}")
    assert status >= 400
    assert CANARY.encode() not in body


def test_an_upload_stays_in_its_folder(served: Served, guest: Guest) -> None:
    up = ["../../../evil.txt", "/etc/evil.txt", "..\\..\\evil.txt", "%2e%2e%2fevil.txt", ".."]
    for name in [*up, "evil\x00.txt", "é" * 300]:
        answer = guest.upload(name, b"evil-content")
        assert answer.status_code in (200, 400), name
        for path in answer.json() if answer.status_code == 200 else []:
            assert served.uploads in Path(path).resolve().parents, name
    assert not (served.folder / "evil.txt").exists()
    assert not Path("/etc/evil.txt").exists()


def test_an_event_accepts_only_uploaded_files(served: Served, guest: Guest, victim: Guest) -> None:
    victim.add_document("private.txt", f"The code is {CANARY}.")
    (stored,) = (served.data / "visitors" / hashlib.sha256(victim.key.encode()).hexdigest()).rglob("original")
    for path in (served.folder / "notes.txt", served.folder / ".env", served.app.log, stored, Path("/etc/passwd")):
        file = {"path": str(path), "orig_name": "notes.txt", "meta": {"_type": "gradio.FileData"}}
        for value in ([file], file, [file | {"meta": {}}], [str(path)], [{"path": str(path)}]):
            outcome = guest.call("upload", guest.inputs("upload", drop=value))
            assert not outcome.success
            assert CANARY not in outcome.stream
        assert path.exists()  # the page deletes a file after it reads it


def test_a_symbolic_link_in_the_upload_folder_opens_nothing(served: Served) -> None:
    """A visitor can't create one, but a future feature that unpacks archives could."""
    link = served.uploads / "link.txt"
    link.symlink_to(served.folder / "notes.txt")
    try:
        status, body = fetch(served.url, f"/gradio_api/file={link}")
    finally:
        link.unlink()
    assert CANARY.encode() not in body
    assert status >= 400


@pytest.mark.parametrize("route", ["/gradio_api/proxy=", "/gradio_api/file="])
def test_the_server_fetches_no_address_for_a_client(served: Served, route: str) -> None:
    requests = len(served.model.requests)
    for address in (served.model.url, served.model.url.replace("127.0.0.1", "localhost"), "http://169.254.169.254/"):
        for spelling in (address, quote(address, safe=""), address.upper()):
            status, body = fetch(served.url, route + spelling)
            assert status >= 400
            assert b"scripted" not in body
    assert len(served.model.requests) == requests


def test_no_method_of_a_component_can_be_called(guest: Guest) -> None:
    for function in ("preprocess", "__init__", "get_config", "ls", "copy"):
        for component in guest.components:
            body = {"data": "/etc", "component_id": component, "session_hash": guest.session, "fn_name": function}
            answer = guest.http.post("/gradio_api/component_server", json=body)
            assert answer.status_code == 404, (function, component)


def test_the_description_of_the_page_has_no_secret_and_no_path(served: Served, guest: Guest) -> None:
    for path in ("/", "/config", "/gradio_api/info?all_endpoints=true", "/gradio_api/openapi.json", "/openapi.json"):
        text = guest.http.get(path).text
        for secret in (CANARY, str(ROOT), str(served.folder), str(served.uploads)):
            assert secret not in text, path
    named = guest.http.get("/gradio_api/info").json()["named_endpoints"]
    assert list(named) == ["/ask_documents", "/search_documents"]


def test_a_public_page_stays_open_to_programs_on_other_pages(guest: Guest) -> None:
    """Without a login there is nothing to steal; test_login.py has the page with one."""
    origin = "https://evil.example.com"
    response = guest.http.get("/config", headers={"Origin": origin, "Host": "chat.example.com"})
    assert response.headers["access-control-allow-origin"] == origin
