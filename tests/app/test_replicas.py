"""Two replicas of the page behind a real nginx: one is killed in the middle of an answer, and the other goes on."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from rag.documents import Limits
from tests.conftest import ROOT
from tests.helpers.apps import App, running_app
from tests.helpers.chat import ask, upload, uploaded, wait_for_answer
from tests.helpers.nginx import serving_nginx
from tests.helpers.redis_server import RedisServer, serving_redis
from tests.helpers.servers import free_port, wait_until
from ui.middleware.request_limits import MB, RequestLimits

Open = Callable[..., Page]
NOTE = "The spare key hangs behind the blue door of the boathouse."
COOKIE = "spaceport_replica"


@dataclass(frozen=True)
class Replicas:
    """The replicas by the names in the cookie, and the page behind nginx."""

    by_name: dict[str, App]
    front: App
    redis: RedisServer
    data: Path

    def of(self, page: Page) -> str:
        """The name of the replica at which the visitor is."""
        (name,) = (cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)
        return str(name)


@pytest.fixture(scope="module")
def replicas(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    ports = {"7860": free_port(), "7861": free_port(), "7862": free_port()}
    configuration = (ROOT / "containers" / "compose" / "replicas.conf").read_text()
    configuration = re.sub(r"\b786[012]\b", lambda match: str(ports[match[0]]), configuration)
    data = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        redis = stack.enter_context(serving_redis(tmp_path_factory.mktemp("redis")))
        settings = {"SPACEPORT_DATA": str(data), "SPACEPORT_REDIS_URL": redis.url, "SPACEPORT_QUESTIONS_A_MINUTE": "4"}
        apps = {
            name: stack.enter_context(
                running_app(tmp_path_factory.mktemp(name), "--catalog", str(catalog), port=ports[port], **settings)
            )
            for name, port in (("first", "7861"), ("second", "7862"))
        }
        url = stack.enter_context(serving_nginx(tmp_path_factory.mktemp("nginx"), configuration, ports["7860"]))
        yield Replicas(apps, replace(apps["first"], url=url), redis, data)


def test_nginx_lets_through_what_the_page_does() -> None:
    configuration = (ROOT / "containers" / "compose" / "replicas.conf").read_text()
    megabytes = re.search(r"client_max_body_size (\d+)m;", configuration)
    upload_bytes = RequestLimits(file_bytes=Limits().file_bytes).upload_bytes
    assert megabytes and upload_bytes <= int(megabytes[1]) * MB <= upload_bytes + MB


def search(app: App) -> int:
    """Send a question of a program, and return the status."""
    body = {"data": ["Where does the ferry leave?", {"a.txt": "The ferry leaves from the north pier."}, 1]}
    url = f"{app.url}/gradio_api/run/search_documents"
    return httpx2.post(url, json=body, timeout=120, verify=False).status_code


def test_questions_are_counted_over_both_and_by_each_while_redis_is_away(replicas: Replicas) -> None:
    first, second = replicas.by_name.values()
    assert [search(first) for _ in range(2)] == [200] * 2
    assert [search(second) for _ in range(3)] == [200, 200, 429]
    replicas.redis.stop()
    assert [search(second) for _ in range(3)] == [200, 200, 429]  # of its own four in a minute
    assert "the page's limits use this process' memory" in second.log.read_text()
    replicas.redis.start()
    wait_until(lambda: "the page's limits are shared again" in second.log.read_text())


def test_a_replica_is_killed_in_the_middle_of_an_answer(replicas: Replicas, open_page: Open, tmp_path: Path) -> None:
    (note := tmp_path / "note.txt").write_text(NOTE)
    page = open_page(replicas.front)
    page.wait_for_function("localStorage.getItem('spaceport-visitor')")
    upload(page, note)
    uploaded(page, 1)
    page.get_by_label("Ask note.txt").uncheck()
    ask(page, "Say it slowly.")
    # What it wrote is stored every 2 s.
    expect(page.locator("#chat .bot").last).to_contain_text("slow24", timeout=30_000)
    lost = replicas.of(page)
    os.killpg(replicas.by_name[lost].process.pid, signal.SIGKILL)

    expect(page.locator("#chat")).to_contain_text("Cut off: the server that wrote", timeout=60_000)
    expect(page.locator("#chat")).to_contain_text("slow3")
    expect(page.locator("#chat .user.message")).to_have_text("Say it slowly.")
    expect(page.locator("#documents [data-remove]")).to_have_count(1)
    expect(page.locator("#question .submit-button")).to_be_visible()
    assert replicas.of(page) != lost
    expect(page.get_by_label("Ask note.txt")).not_to_be_checked()  # the choice is in the shared folder
    page.get_by_label("Ask note.txt").check()
    ask(page, "Where does the spare key hang?")
    wait_for_answer(page)
    expect(page.locator("#sources")).to_contain_text(NOTE)
    page.reload()
    expect(page.locator("#chat .user.message")).to_have_text(["Say it slowly.", "Where does the spare key hang?"])
    expect(page.locator("#chat")).to_contain_text("Cut off: the server that wrote")
