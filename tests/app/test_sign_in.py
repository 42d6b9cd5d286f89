"""Signing in with Hugging Face: a Space behind TLS, an OpenID provider on a socket, a router that checks tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import itsdangerous
import pytest
from playwright.sync_api import Browser, expect

from tests.helpers.apps import App, running_app
from tests.helpers.openid_provider import CLIENT, SCOPES, SECRET, OpenIdProvider, Person
from tests.helpers.scripted_model import ScriptedModel
from tests.helpers.servers import free_port, serving, wait_until
from tests.helpers.tls_front import tls_front
from tests.security.wire import Guest, guests

SIGN_IN, AGAIN = "Sign in with Hugging Face to use this model.", "Sign in again."
EVIL = "https://evil.example.com"
NewGuest = Callable[..., Guest]


@dataclass
class Space:
    """A Space with `hf_oauth: true` as visitors reach it: `url` is the front with TLS, `app` the page behind it."""

    url: str
    app: App
    provider: OpenIdProvider
    router: ScriptedModel

    def sign_in(self, name: str = "ada", *, seconds: int = 3600, target: str = "/") -> dict[str, str]:
        """Let a person sign in with a new browser; return its cookies."""
        self.provider.person = Person(name, seconds=seconds)
        with httpx2.Client(verify=False, follow_redirects=True, timeout=60) as browser:
            page = browser.get(f"{self.url}/login/huggingface", params={"_target_url": target})
            assert (page.status_code, str(page.url)) == (200, f"{self.url}{target}")
            return {"session": browser.cookies["session"]}

    def token(self, cookies: dict[str, str]) -> str:
        """Return the access token in a browser's cookie, which isn't encrypted."""
        return str(_session(cookies)["oauth_info"]["access_token"])

    def expired(self, cookies: dict[str, str]) -> dict[str, str]:
        """Return the cookies as they are after the token has expired."""
        return self.expiring(cookies, 1)

    def expiring(self, cookies: dict[str, str], at: float) -> dict[str, str]:
        """Return the cookies of a token that expires at a Unix time, signed as Gradio signs them."""
        session = _session(cookies)
        session["oauth_info"]["expires_at"] = at
        signer = itsdangerous.TimestampSigner(hashlib.sha256(f"{SECRET}-v4".encode()).hexdigest())
        return {"session": signer.sign(base64.b64encode(json.dumps(session).encode())).decode()}


def _session(cookies: dict[str, str]) -> dict[str, Any]:
    session: dict[str, Any] = json.loads(base64.b64decode(cookies["session"].partition(".")[0] + "=="))
    return session


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    folder, port = tmp_path_factory.mktemp("space"), free_port()
    with serving(OpenIdProvider()) as provider, serving(ScriptedModel()) as router:
        catalog = folder / "catalog.toml"
        catalog.write_text(
            f'[theirs]\nkind = "huggingface"\nmodel = "scripted"\nurl = "{router.url}"\naccount = "visitor"\n'
            f'[first]\nkind = "fallback"\ntargets = ["theirs"]\n'
            f'[scripted]\nkind = "openai"\nurl = "{router.url}"\n'
        )
        environment = {
            "SYSTEM": "spaces", "SPACE_ID": "lab/chat", "SPACE_HOST": f"localhost:{port}", "OAUTH_CLIENT_ID": CLIENT,
            "OAUTH_CLIENT_SECRET": SECRET, "OAUTH_SCOPES": SCOPES, "OPENID_PROVIDER_URL": provider.url,
            "HF_TOKEN": "hf_of_the_operator", "GRADIO_SERVER_NAME": "127.0.0.1", "HF_HUB_OFFLINE": "1",
        }  # fmt: skip
        with (
            running_app(folder, "--catalog", str(catalog), **environment) as app,
            tls_front(port, folder, app.url),
        ):
            yield Space(f"https://localhost:{port}", app, provider, router)


@pytest.fixture
def new_guest(space: Space) -> Iterator[NewGuest]:
    with guests(space.url) as create:
        yield create


def conversation(guest: Guest) -> str:
    return guest.call("export_markdown", guest.inputs("export_markdown")).stream


def test_the_account_has_the_same_data_in_every_browser_and_the_browser_its_own_again_after_signing_out(
    space: Space, new_guest: NewGuest
) -> None:
    before = new_guest()
    before.ask("What did the guest ask?")
    first = new_guest(key=before.key, cookies=space.sign_in())
    assert "What did the guest ask?" not in conversation(first)
    account = first.call("show_account", first.inputs("show_account")).stream
    assert "is back when you sign out" in account
    first.ask("What did Ada ask?", target="theirs")
    second = new_guest(cookies=space.sign_in())
    assert second.key != first.key
    assert "What did Ada ask?" in conversation(second)
    after = new_guest(key=before.key)
    assert "What did the guest ask?" in conversation(after)
    assert "What did Ada ask?" not in conversation(after)
    other = new_guest(key=first.key, cookies=space.sign_in("grace"))
    assert "ask?" not in conversation(other)


def test_the_key_of_an_account_is_never_sent_to_a_browser(space: Space, new_guest: NewGuest) -> None:
    """A key that somebody put into the browser before the sign-in opens nothing after it, and the other way round."""
    guest = new_guest()
    signed_in = new_guest(key=guest.key, cookies=space.sign_in("edith"))
    signed_in.ask("What did Edith ask?")
    assert signed_in.call("open_page", [guest.key, ""]).output[0] == guest.key
    assert "What did Edith ask?" not in conversation(guest)


def test_deleting_my_data_deletes_the_account_s_and_the_browser_s(space: Space, new_guest: NewGuest) -> None:
    guest = new_guest()
    guest.ask("What did the guest ask?")
    signed_in = new_guest(key=guest.key, cookies=space.sign_in("hedy"))
    signed_in.ask("What did Hedy ask?")
    signed_in.call("delete_data", signed_in.inputs("delete_data"))
    assert "ask?" not in conversation(signed_in)
    assert "ask?" not in conversation(guest)


@pytest.mark.parametrize("target", ["theirs", "first"])
def test_a_visitor_s_model_needs_the_visitor(space: Space, new_guest: NewGuest, target: str) -> None:
    calls = len(space.router.requests)
    assert SIGN_IN in new_guest().ask("What is a harbour?", target=target).stream
    assert len(space.router.requests) == calls
    signed_in = new_guest(cookies=space.sign_in())
    assert "word9" in signed_in.ask("What is a harbour?", target=target).stream
    # The next event of the same workers is a guest's: nothing of the token stays behind.
    assert SIGN_IN in new_guest().ask("What is a harbour?", target=target).stream


def test_a_sign_in_that_expires_during_an_answer_says_so_at_the_next_one_and_keeps_the_page(
    space: Space, new_guest: NewGuest
) -> None:
    cookies = space.sign_in("joan")
    guest = new_guest(cookies=cookies)
    assert "word9" in guest.ask("What is a pier?", target="theirs").stream
    later = new_guest(key=guest.key, session=guest.session, cookies=space.expired(cookies))
    # The end of the answer, and what the page does next, still belong to the account.
    assert later.call("finish", later.inputs("finish")).success
    assert "What is a pier?" in conversation(later)
    expired = later.ask("What is a quay?", target="theirs").stream
    assert "Your sign-in has expired." in expired
    assert AGAIN in expired
    assert "What is a quay?" in conversation(guest)
    # The next page that opens is signed out: its cookie ends.
    page = httpx2.get(space.url, cookies=space.expired(cookies), verify=False)
    assert "session=null" in page.headers["set-cookie"]


def test_a_token_that_the_hub_rejects_asks_the_visitor_to_sign_in_again(space: Space, new_guest: NewGuest) -> None:
    cookies = space.sign_in("joan")
    space.router.refused.add(space.token(cookies))
    answer = new_guest(cookies=cookies).ask("What is a quay?", target="theirs").stream
    assert "accept your sign-in any more" in answer
    assert AGAIN in answer
    assert space.token(cookies) not in answer


def test_an_answer_goes_on_when_the_token_expires_while_its_words_stream(space: Space, new_guest: NewGuest) -> None:
    signed_in = new_guest(cookies=space.sign_in("katherine"))
    expiry = time.time() + 1.5
    cookies = space.expiring(signed_in.cookies, expiry)
    guest, reader = (new_guest(key=signed_in.key, cookies=cookies) for _ in range(2))  # two tabs
    asking = threading.Thread(target=guest.ask, args=["Say it slowly."], kwargs={"target": "theirs"})
    asking.start()
    # At a word in 0.4 s, this one comes after the expiry.
    wait_until(lambda: time.time() > expiry + 0.5 and "slow6 " in conversation(reader), 30)
    assert "expired" not in conversation(reader)
    assert reader.call("stop", reader.inputs("stop")).success
    asking.join()
    assert "Your sign-in has expired." in reader.ask("What is a quay?", target="theirs").stream
    assert "slow6 " in conversation(reader)


@pytest.mark.parametrize(
    ("answer", "language", "title"),
    [
        ("access_denied", "en", "You&#x27;re not signed in"),
        ("<script>alert(1)</script>", "de-AT", "Sie sind nicht angemeldet"),
    ],
)
def test_who_declines_gets_a_page_that_says_so(space: Space, answer: str, language: str, title: str) -> None:
    space.provider.person = Person(answer=answer)
    headers = {"Accept-Language": language}
    page = httpx2.get(f"{space.url}/login/huggingface", verify=False, follow_redirects=True, headers=headers)
    assert page.status_code == 403
    assert title in page.text
    assert f'<html lang="{language[:2]}">' in page.text
    assert "<script>" not in page.text
    assert "The user said no" not in page.text


def test_a_provider_that_fails_gets_a_page_that_says_so(space: Space) -> None:
    space.provider.person, space.provider.broken = Person(), True
    try:
        page = httpx2.get(f"{space.url}/login/huggingface", verify=False, follow_redirects=True)
    finally:
        space.provider.broken = False
    assert page.status_code == 502
    assert "Signing in didn&#x27;t work" in page.text


def test_a_forged_callback_signs_nobody_in(space: Space) -> None:
    forged = httpx2.get(f"{space.url}/login/callback?code=guess&state=guess&_target_url={EVIL}", verify=False)
    assert forged.headers["location"].startswith("/login/huggingface?")  # Gradio begins again
    assert "set-cookie" not in forged.headers


@pytest.mark.parametrize(
    "target", [f"{EVIL}/", "//evil.example.com", "/\\evil.example.com", "/\t/evil.example.com", "////evil.example.com"]
)
@pytest.mark.parametrize("route", ["login/huggingface", "logout"])
def test_a_redirect_stays_on_the_page(space: Space, route: str, target: str) -> None:
    space.provider.person = Person()
    with httpx2.Client(verify=False, timeout=60) as browser:
        response = browser.get(f"{space.url}/{route}", params={"_target_url": target})
        for _ in range(3):
            location = response.headers.get("location", "")
            if not location.startswith("http"):
                break
            response = browser.get(location)
        assert re.match(r"/[^/\\]|/$", location), location


def test_another_origin_gets_the_page_as_a_guest(space: Space, new_guest: NewGuest) -> None:
    """The cookie is SameSite=None, since the Hub shows the page in a frame: every other page sends it as well."""
    cookies = space.sign_in("mary")
    new_guest(cookies=cookies).ask("What did Mary ask?")
    headers = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
    with guests(space.url) as create:
        stranger = create(cookies=cookies, headers=headers)
        assert "Mary" not in conversation(stranger)
        assert SIGN_IN in stranger.ask("What is a harbour?", target="theirs").stream
        logout = stranger.http.get("/logout")
    assert logout.status_code == 403


def test_signing_in_in_a_browser(space: Space, browser: Browser) -> None:
    space.provider.person = Person("radia")
    context = browser.new_context(ignore_https_errors=True, locale="de-DE")
    page = context.new_page()
    page.goto(f"{space.url}/?__theme=light")
    button = page.locator("#sign-in")
    expect(button).to_have_text("Mit Hugging Face anmelden")
    button.click()
    expect(button).to_have_text("Abmelden (radia)", timeout=60_000)
    assert page.url == f"{space.url}/?__theme=light"
    expect(page.locator("#account")).to_contain_text("gehören zu Ihrem Konto")
    expect(page.locator("#account a")).to_have_attribute("href", "https://huggingface.co/settings/billing")
    [cookie] = [each for each in context.cookies() if each["name"] == "session"]
    assert (cookie["httpOnly"], cookie["secure"]) == (True, True)
    assert "hf_oauth_" not in page.evaluate("JSON.stringify(localStorage)") + page.content()
    button.click()
    expect(button).to_have_text("Mit Hugging Face anmelden", timeout=60_000)
    context.close()


def test_the_token_is_used_for_the_visitor_s_answers_and_nothing_else(space: Space, new_guest: NewGuest) -> None:
    """This test is last: it looks at what all others left behind."""
    cookies = space.sign_in("ida")
    guest = new_guest(cookies=cookies)
    asked = len(space.router.keys)
    answer = guest.ask("What is a harbour?", target="theirs")
    for name in ("list_targets", "warm", "open_page", "show_account"):
        guest.call(name, guest.inputs(name))
    guest.ask("What is a harbour?", target="scripted")
    token = space.token(cookies)
    uses = space.router.keys[asked:]
    assert [path for path, key in uses if key == token] == ["/v1/chat/completions"]
    assert {key for _, key in uses} == {token, ""}  # the operator never pays for `account = "visitor"`
    assert space.provider.records.uses == []  # nobody asks for more than the id_token has
    assert space.provider.records.scopes == {SCOPES}
    assert token not in answer.stream
    assert token not in guest.http.get("/config").text
    # The button to sign in isn't part of the API.
    assert list(guest.http.get("/gradio_api/info").json()["named_endpoints"]) == ["/ask_documents", "/search_documents"]
    tokens = [token.encode() for token in space.provider.records.tokens]
    assert len(tokens) > 5
    files = [path for path in space.app.log.parent.rglob("*") if path.is_file()]
    assert any("data" in path.parts for path in files)
    for path in files:
        content = path.read_bytes()
        assert not any(token in content for token in tokens), path
    assert SECRET not in space.app.log.read_text()
