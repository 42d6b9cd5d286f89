"""The offer of a better model: only on a page of one's own, downloaded from a Hub that is a local server here."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends import Catalog
from backends.local_models.download import cache_folder
from backends.local_models.fit import best_model
from backends.machine.resources import this_machine
from chat_page.better_model import ModelOffer
from chat_page.strings import ENGLISH
from tests.conftest import missing
from tests.helpers.model_hub import ModelHub, Repository, run_python
from tests.helpers.servers import serving

EMBEDDED = Catalog({"laptop": {"kind": "embedded"}}, source="test")
# A process of its own, because huggingface_hub reads the Hub's address at import.
GET = """
import asyncio
from backends import Catalog
from chat_page.better_model import ModelOffer
from chat_page.strings import ENGLISH

async def get():
    catalog = Catalog({"laptop": {"kind": "embedded"}}, source="test")
    offer = ModelOffer(catalog, host=None, share=False, on_ready=lambda: print("ready"))
    print(offer.label(ENGLISH))
    async for step in offer.get_model():
        print(step)
    print(repr(offer.label(ENGLISH)))

asyncio.run(get())
"""


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SPACEPORT_MODEL", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def run(endpoint: str, home: Path) -> str:
    process = run_python("-c", GET, endpoint=endpoint, home=home)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_the_best_model_is_downloaded_and_then_in_use(tmp_path: Path) -> None:
    model = best_model(this_machine(cache_folder()))
    if model is None:
        missing("a machine with 2 GB of memory")
    with serving(ModelHub(Repository(b"GGUF" + bytes(200_000), model))) as hub:
        output = run(f"http://127.0.0.1:{hub.server_port}", tmp_path)
    assert output.startswith(f"Get a better model: {model.name}, ")
    assert "Downloading" in output
    assert "ready\n" in output
    assert f"{model.name} is ready" in output
    assert output.endswith("''\n")


def test_an_unreachable_hub_is_a_sentence(tmp_path: Path) -> None:
    output = run("http://127.0.0.1:9", tmp_path)
    assert "can&#x27;t be listed on the Hub" in output
    assert "Get a better model" in output.splitlines()[-1]


def test_a_page_that_others_can_open_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ModelOffer(EMBEDDED, host="0.0.0.0", share=False, on_ready=print).label(ENGLISH) == ""
    assert ModelOffer(EMBEDDED, host=None, share=True, on_ready=print).label(ENGLISH) == ""
    monkeypatch.setenv("SPACE_ID", "someone/chat")
    assert ModelOffer(EMBEDDED, host=None, share=False, on_ready=print).label(ENGLISH) == ""


def test_a_machine_with_a_model_of_its_own_is_offered_none(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog({"gpu": {"kind": "openai", "url": "http://127.0.0.1:9"}}, source="test")
    assert ModelOffer(catalog, host=None, share=False, on_ready=print).label(ENGLISH) == ""
    monkeypatch.setenv("SPACEPORT_MODEL", "qwen2.5-1.5b")
    assert ModelOffer(EMBEDDED, host=None, share=False, on_ready=print).label(ENGLISH) == ""
