"""A page with SPACEPORT_AUTH: guessing passwords, and pages of other origins that act in a visitor's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Browser
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from tests.helpers.apps import App, running_app
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import serving, serving_app
from tests.security.wire import Guest, guests
from ui.access.login import PER_ADDRESS, PER_NAME, Login

SIBLING = "https://evil.example.com"
PORTAL = "https://portal.example.com"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("login")
    catalog = folder / "catalog.toml"
    with serving(ScriptedModel()) as model:
        catalog.write_text(f'[scripted]\nkind = "openai"\nurl = "{model.url}"\n')
        environment = {"SPACEPORT_AUTH": "ada:engine grace:compiler alan:enigma", "SPACEPORT_ORIGINS": PORTAL}
        with running_app(folder, "--catalog", str(catalog), **environment) as app:
            yield app


def log_in(app: App, name: str = "ada", password: str = "engine", **headers: str) -> httpx2.Response:
    return httpx2.post(f"{app.url}/login", data={"username": name, "password": password}, headers=headers)


@pytest.fixture
def cookies(app: App) -> dict[str, str]:
    """The cookies of a visitor who has logged in, from an address of their own."""
    response = log_in(app, **{"X-Forwarded-For": "192.0.2.1"})
    assert response.json() == {"success": True}
    return {name: value for name, value in response.cookies.items() if "unsecure" in name}


def test_only_who_logged_in_reads_the_page(app: App, cookies: dict[str, str]) -> None:
    assert httpx2.get(f"{app.url}/config").status_code == 401
    assert httpx2.get(f"{app.url}/config", cookies=cookies).status_code == 200
    assert httpx2.get(f"{app.url}/gradio_api/user", cookies=cookies).json() == "ada"


def test_a_page_of_another_origin_reads_nothing_with_the_cookies_of_a_visitor(
    app: App, cookies: dict[str, str]
) -> None:
    """Gradio reflects any Origin with credentials on public hosts; requests from a sibling host have the cookies."""
    for origin in (SIBLING, "null", "https://chat.example.com.evil.example", "https://evil.example/chat.example.com"):
        for path in ("/", "/config", "/gradio_api/token", "/gradio_api/user", "/nowhere"):
            headers = {"Origin": origin, "Host": "chat.example.com"}
            response = httpx2.get(app.url + path, cookies=cookies, headers=headers)
            assert "access-control-allow-origin" not in response.headers, (origin, path)
            assert "access-control-allow-credentials" not in response.headers, (origin, path)


def test_a_page_of_another_origin_changes_nothing_in_the_name_of_a_visitor(app: App, cookies: dict[str, str]) -> None:
    headers = {"Origin": SIBLING, "Host": "chat.example.com"}
    upload = httpx2.post(
        f"{app.url}/gradio_api/upload", files={"files": ("a.txt", b"x")}, cookies=cookies, headers=headers
    )
    assert upload.status_code == 403
    for path in ("/gradio_api/queue/join", "/gradio_api/run/ask_documents", "/gradio_api/cancel", "/login"):
        assert httpx2.post(app.url + path, json={}, cookies=cookies, headers=headers).status_code == 403, path
        preflight = headers | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        answer = httpx2.request("OPTIONS", app.url + path, headers=preflight)
        assert answer.status_code == 403, path
        assert "access-control-allow-origin" not in answer.headers, path


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_origin_signs_nobody_out(app: App, cookies: dict[str, str], site: str) -> None:
    """A picture with the address /logout would end all sessions of the account."""
    for path in ("/logout", "/logout/", "/logout?all_session=false"):
        assert httpx2.get(app.url + path, cookies=cookies, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert httpx2.get(f"{app.url}/config", cookies=cookies).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://chat.example.com", "Host": "chat.example.com"},
        {"Origin": "https://chat.example.com", "X-Forwarded-Host": "chat.example.com, proxy", "Host": "10.0.0.7:7860"},
        {"Origin": "https://chat.example.com", "Sec-Fetch-Site": "same-origin", "Host": "10.0.0.7:7860"},
        {"Origin": PORTAL, "Host": "chat.example.com"},
    ],
    ids=["no page", "the page", "behind a proxy", "behind a proxy that changes the host", "an allowed origin"],
)
def test_the_page_itself_and_allowed_origins_may_do_all(
    app: App, cookies: dict[str, str], headers: dict[str, str]
) -> None:
    files = {"files": ("a.txt", b"x")}
    response = httpx2.post(f"{app.url}/gradio_api/upload", files=files, cookies=cookies, headers=headers)
    assert response.status_code == 200
    if headers.get("Origin") == PORTAL:
        assert response.headers["access-control-allow-origin"] == PORTAL


def test_a_page_of_another_port_cannot_read_in_a_real_browser(app: App, browser: Browser) -> None:
    with serving_app(HTMLResponse("<p>Another page"), lifespan="off") as port:  # without a policy that stops it first
        context = browser.new_context()
        page = context.new_page()
        page.goto(app.url)
        script = """async ([url]) => {
          const body = new URLSearchParams({username: "grace", password: "compiler"});
          return (await fetch(url + "/login", {method: "POST", body, credentials: "include"})).status; }"""
        assert page.evaluate(script, [app.url]) == 200
        assert page.evaluate("async ([url]) => (await fetch(url + '/config')).status", [app.url]) == 200
        page.goto(f"http://127.0.0.1:{port}")
        attack = """async ([url, method]) => {
          try {
            const headers = method === "POST" ? {"content-type": "application/json"} : {};
            const body = method === "POST" ? "{}" : undefined;
            await fetch(url, {method, headers, body, credentials: "include"});
            return "read";
          } catch { return "refused"; } }"""
        for path, method in (("/config", "GET"), ("/gradio_api/user", "GET"), ("/gradio_api/queue/join", "POST")):
            assert page.evaluate(attack, [app.url + path, method]) == "refused", path
        context.close()


def test_many_wrong_passwords_from_one_address_are_refused(app: App) -> None:
    sender = {"X-Forwarded-For": "192.0.2.2"}
    statuses = [log_in(app, f"name{number}", "guess", **sender).status_code for number in range(30)]
    assert statuses == [400] * PER_ADDRESS + [429] * (30 - PER_ADDRESS)
    refused = log_in(app, **sender)  # the right password, too: a guess must not be confirmed
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert log_in(app, **{"X-Forwarded-For": "192.0.2.3"}).status_code == 200


def test_many_wrong_passwords_for_one_name_from_many_addresses_are_refused(app: App) -> None:
    def guess(number: int, name: str) -> int:
        return log_in(app, name, "guess", **{"X-Forwarded-For": f"198.51.100.{number}"}).status_code

    for name in ("grace", "nobody"):  # the limit doesn't tell whether there is such a name
        statuses = [guess(number, name) for number in range(40)]
        assert statuses == [400] * PER_NAME + [429] * (40 - PER_NAME)
    assert log_in(app, **{"X-Forwarded-For": "192.0.2.4"}).status_code == 200


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_limit_ends_after_a_minute_and_is_for_failures_only() -> None:
    clock = Clock()
    check = Login([("ada", "engine")], clock)
    assert all(check("ada", "engine") for _ in range(100))
    assert not any(check("ada", "guess") for _ in range(PER_ADDRESS))
    clock.seconds = 59.5
    with pytest.raises(HTTPException) as caught:
        check("ada", "engine")
    assert (caught.value.status_code, dict(caught.value.headers or {})) == (429, {"Retry-After": "1"})
    clock.seconds = 60
    assert check("ada", "engine")


def test_names_and_passwords_are_compared_as_a_whole() -> None:
    for given in (("ada", "engin"), ("ad", "engine"), ("grace", "engine"), ("", ""), ("ada", ""), ("ädä", "🙂")):
        assert not Login([("ada", "engine"), ("grace", "compiler")])(*given)


@pytest.fixture
def log_in_guest(app: App) -> Iterator[Callable[[str, str], Guest]]:
    """Create a visitor who is signed in."""
    with guests(app.url) as create:

        def log_in_as(name: str, password: str) -> Guest:
            cookies = dict(log_in(app, name, password, **{"X-Forwarded-For": "192.0.2.5"}).cookies)
            return create(cookies={key: value for key, value in cookies.items() if "unsecure" in key})

        yield log_in_as


def test_signing_out_ends_every_session_of_the_account(app: App, log_in_guest: Callable[[str, str], Guest]) -> None:
    here, there, other = log_in_guest("ada", "engine"), log_in_guest("ada", "engine"), log_in_guest("alan", "enigma")
    assert here.http.get("/logout").status_code in (302, 307)
    assert [guest.http.get("/config").status_code for guest in (here, there, other)] == [401, 401, 200]


def test_a_key_of_another_account_opens_nothing(log_in_guest: Callable[[str, str], Guest]) -> None:
    """Two people share a browser, or somebody learns a key: without the account it leads to other data."""
    ada, alan = log_in_guest("ada", "engine"), log_in_guest("alan", "enigma")
    ada.ask("Where is the harbour office?")
    assert "harbour" in ada.call("export_markdown", [ada.key]).stream
    assert "harbour" not in alan.call("export_markdown", [ada.key]).stream
    alan.call("delete_data", [ada.key])
    assert "harbour" in ada.impersonate(session="another").call("open_page", [ada.key, ""]).stream
