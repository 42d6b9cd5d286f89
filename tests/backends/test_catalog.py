"""The catalogue and its settings: errors name the problem, and nothing raises before a target is used."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backends import Backend, BackendError, Catalog, Delta, Done, Event, NotConfigured, Rejected, Unreachable, kinds
from backends.kinds.fallback import FallbackBackend
from backends.kinds.openai import base_url
from tests.backends.recordings import REQUEST
from tests.backends.wire_server import Reply, WireServer

OPENAI = {"kind": "openai", "url": "http://host:8000"}


def connect_error(entry: dict[str, object], **environment: str) -> NotConfigured:
    """The error of connecting to an entry; the list reports the same one."""
    catalog = Catalog({"x": entry}, source="test.toml", environment=environment)
    with pytest.raises(NotConfigured) as caught:
        catalog.connect("x")
    target = catalog.target("x")
    assert str(target.unavailable) == str(caught.value)
    assert f"Target x: {target.reason}" == str(caught.value)
    return caught.value


def test_the_built_in_catalogue_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACEPORT_CATALOG", raising=False)
    catalog = Catalog.load()
    assert catalog.default == "laptop"
    assert {target.name for target in catalog.targets()} == set(catalog.names)


def test_an_unknown_target_suggests_a_similar_name() -> None:
    catalog = Catalog({"laptop": OPENAI, "gpu": OPENAI}, source="test.toml")
    with pytest.raises(NotConfigured, match="no target 'latop'") as caught:
        catalog.connect("latop")
    assert caught.value.remedy == "Did you mean laptop? test.toml has: laptop, gpu."
    with pytest.raises(NotConfigured) as caught:
        catalog.connect("zzz")
    assert "Did you mean" not in caught.value.remedy


def test_an_unset_variable_makes_one_target_unavailable() -> None:
    entries = {"gpu": {"kind": "openai", "url": "${GPU_URL}"}, "other": OPENAI}
    gpu, other = Catalog(entries, source="test", environment={}).targets()
    assert gpu.reason == "The variable GPU_URL is not set. Set it: export GPU_URL=…"
    assert isinstance(gpu.unavailable, NotConfigured)
    assert other.unavailable is None
    assert Catalog(entries, source="test", environment={"GPU_URL": "http://gpu"}).target("gpu").reason == ""


@pytest.mark.parametrize(
    ("text", "environment", "url"),
    [
        ("${A:-http://b}", {}, "http://b/v1"),
        ("${A:-http://b}", {"A": "http://a"}, "http://a/v1"),
        ("${A:-http://b}", {"A": ""}, "http://b/v1"),
        ("http://${H}:${P:-80}/x", {"H": "h"}, "http://h:80/x"),
    ],
)
def test_variables_with_defaults(text: str, environment: dict[str, str], url: str) -> None:
    catalog = Catalog({"x": {"kind": "openai", "url": text}}, source="test", environment=environment)
    assert catalog.connect("x").endpoint.url == url  # type: ignore[attr-defined]


def test_variables_inside_lists_and_tables() -> None:
    entry = OPENAI | {"extra_body": {"user": "${WHO}", "tags": ["${WHO}"]}}
    assert "WHO" in connect_error(entry).message
    assert Catalog({"x": entry}, source="test", environment={"WHO": "me"}).target("x").unavailable is None


def test_a_variable_may_name_the_file_of_a_secret(tmp_path: Path) -> None:
    entry = OPENAI | {"api_key": "${KEY:-none}"}
    (tmp_path / "key").write_text("from a file\n".replace(" ", "-"))
    named = {"KEY_FILE": str(tmp_path / "key")}
    for environment, key in (({}, "none"), (named, "from-a-file"), (named | {"KEY": "itself"}, "itself")):
        backend = Catalog({"x": entry}, source="test", environment=environment).connect("x")
        assert backend.endpoint.api_key == key  # type: ignore[attr-defined]
    missing = Catalog({"x": entry}, source="test", environment={"KEY_FILE": str(tmp_path / "gone")})
    assert "KEY_FILE names" in missing.target("x").reason


def test_an_empty_default_is_a_value() -> None:
    entry = OPENAI | {"api_key": "${KEY:-}"}
    backend = Catalog({"x": entry}, source="test", environment={}).connect("x")
    assert backend.endpoint.api_key is None  # type: ignore[attr-defined]


def test_a_misspelt_setting_lists_the_valid_ones() -> None:
    error = connect_error(OPENAI | {"modle": "m"})
    assert error.message == "Target x: There is no setting 'modle'."
    assert error.remedy.startswith("Did you mean model? The settings are: url, model, api_key,")


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("url", 3, "expected text"),
        ("model", 3, "expected text"),
        ("model", True, "expected text"),
        ("read_timeout", "60", "expected a number"),
        ("read_timeout", True, "expected a number"),
        ("context", 4.5, "expected a whole number"),
        ("context", False, "expected a whole number"),
        ("extra_body", "x", "expected a table"),
    ],
)
def test_a_setting_of_the_wrong_type(setting: str, value: object, expected: str) -> None:
    error = connect_error(OPENAI | {setting: value})
    assert f"The setting {setting} is {value!r}" in error.message
    assert expected in error.message
    assert error.remedy


def test_a_whole_number_is_a_number() -> None:
    backend = Catalog({"x": OPENAI | {"read_timeout": 3}}, source="test").connect("x")
    assert backend.endpoint.read_timeout == 3.0  # type: ignore[attr-defined]


def test_a_missing_setting() -> None:
    error = connect_error({"kind": "openai"})
    assert error.message == "Target x: The setting url is missing."
    assert error.remedy == "Add url = … to the target."


@pytest.mark.parametrize("entry", [{}, {"kind": 3}, "text", 3, []])
def test_an_entry_without_a_kind(entry: object) -> None:
    with pytest.raises(NotConfigured, match=r"\[x\] in test.toml has no kind"):
        Catalog({"x": entry}, source="test.toml")


@pytest.mark.parametrize("kind", ["opnai", "types", "no_such.module", ".openai", "a..b", "", "../x", "backends."])
def test_an_unknown_kind(kind: str) -> None:
    error = connect_error({"kind": kind})
    assert "kind" in error.message
    assert "openai" in error.remedy
    assert "transformers" in error.remedy


def test_a_missing_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(NotConfigured, match="cannot be read") as caught:
        Catalog.load(path)
    assert str(path) in caught.value.message
    assert "--catalog" in caught.value.remedy
    monkeypatch.setenv("SPACEPORT_CATALOG", str(path))
    with pytest.raises(NotConfigured, match=r"none\.toml"):
        Catalog.load()
    with pytest.raises(NotConfigured, match="cannot be read"):
        Catalog.load(tmp_path)  # a folder


@pytest.mark.parametrize("content", [b"[x\nkind = 1", b"kind = \xff", b"[x]\nkind='a'\n[x]\nkind='b'"])
def test_a_catalogue_that_is_not_toml(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(NotConfigured, match="not valid TOML") as caught:
        Catalog.load(path)
    assert "bad.toml" in caught.value.message


def test_an_empty_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("")
    catalog = Catalog.load(path)
    assert catalog.targets() == []
    with pytest.raises(NotConfigured, match="is empty"):
        _ = catalog.default


def test_labels_are_for_people() -> None:
    catalog = Catalog({"a": OPENAI | {"label": "The big one"}, "b": OPENAI}, source="test")
    assert [target.title for target in catalog.targets()] == ["The big one", "b"]


def test_a_target_says_what_pages_show_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog({"small": {**OPENAI, "writes": "quotes", "label": "Small"}, "good": OPENAI}, source="x")
    assert (catalog.writes("small"), catalog.target("small").writes, catalog.title("small")) == ("quotes",) * 2 + (
        "Small",
    )
    assert (catalog.writes("good"), catalog.target("good").writes, catalog.title("good")) == ("answer",) * 2 + ("good",)
    assert catalog.target("small").unavailable is None  # it's no setting of the backend
    with pytest.raises(NotConfigured, match=r"\[x\] in test.toml has writes = 'poems'") as caught:
        Catalog({"x": {**OPENAI, "writes": "poems"}}, source="test.toml")
    assert caught.value.remedy == 'Use "answer" or "quotes", or leave it out.'


def test_the_packaged_model_writes_quotes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SPACEPORT_CATALOG", raising=False)
    monkeypatch.delenv("SPACEPORT_MODEL", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    catalog = Catalog.load()
    assert [name for name in catalog.names if catalog.writes(name) == "quotes"] == ["laptop", "torch"]
    monkeypatch.setenv("SPACEPORT_MODEL", "qwen2.5-1.5b")
    assert catalog.writes("laptop") == "answer"
    own = Catalog(
        {"a": {"kind": "embedded", "model": "a.gguf"}, "b": {"kind": "embedded", "writes": "answer"}}, source="x"
    )
    assert (own.writes("a"), own.writes("b")) == ("answer", "answer")


def test_a_fallback_that_forms_a_loop() -> None:
    entries = {
        "a": {"kind": "fallback", "targets": ["b"]},
        "b": {"kind": "fallback", "targets": ["a"]},
        "me": {"kind": "fallback", "targets": ["me"]},
    }
    catalog = Catalog(entries, source="test")
    with pytest.raises(NotConfigured, match="form a loop: a → b → a"):
        catalog.connect("a")
    with pytest.raises(NotConfigured, match="form a loop: me → me"):
        catalog.connect("me")
    assert all(target.unavailable for target in catalog.targets())


def test_a_fallback_uses_the_available_targets() -> None:
    entries = {
        "gpu": {"kind": "openai", "url": "${GPU_URL}"},
        "far": OPENAI,
        "any": {"kind": "fallback", "targets": ["gpu", "far"]},
        "none": {"kind": "fallback", "targets": ["gpu"]},
        "typo": {"kind": "fallback", "targets": ["gpu", "fra"]},
        "empty": {"kind": "fallback", "targets": []},
        "words": {"kind": "fallback", "targets": "gpu"},
        "mixed": {"kind": "fallback", "targets": ["far", 3]},
    }
    catalog = Catalog(entries, source="test", environment={})
    usable = catalog.connect("any")
    assert isinstance(usable, FallbackBackend)
    assert "GPU_URL" in catalog.target("none").reason
    assert "Did you mean far?" in catalog.target("typo").reason
    assert "needs targets" in catalog.target("empty").reason
    assert "expected a list" in catalog.target("words").reason
    assert "expected a list" in catalog.target("mixed").reason


THIRD_PARTY = """
from dataclasses import dataclass
from backends import ChatRequest, Delta, Done, Health, NotConfigured
from backends.settings import read_settings

@dataclass(frozen=True)
class Settings:
    word: str

class Echo:
    local = False
    def __init__(self, word):
        self.word = word
    async def stream(self, request):
        yield Delta(self.word)
        yield Done("stop", None)
    async def check(self):
        return Health("echo")
    async def aclose(self):
        pass

def connect(settings):
    return Echo(read_settings(Settings, settings).word)
"""


async def test_a_kind_from_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "their_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "their_module.py").write_text(THIRD_PARTY)
    (package / "plain.py").touch()
    (package / "broken.py").write_text("def connect(settings:\n")
    (package / "incomplete.py").write_text("import a_package_that_is_not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    entries = {
        "theirs": {"kind": "their_package.their_module", "word": "${WORD:-hello}"},
        "wrong": {"kind": "their_package.their_module", "wrod": "x"},
        "plain": {"kind": "their_package.plain", "word": "x"},
        "broken": {"kind": "their_package.broken"},
        "incomplete": {"kind": "their_package.incomplete"},
        "any": {"kind": "fallback", "targets": ["theirs"]},
    }
    catalog = Catalog(entries, source="test", environment={})
    for name in ("theirs", "any"):
        backend = catalog.connect(name)
        assert isinstance(backend, Backend)
        events: list[Event] = [event async for event in backend.stream(REQUEST)]
        assert events == [Delta("hello"), Done("stop", None)]
    assert "Did you mean word?" in catalog.target("wrong").reason
    assert "no connect" in catalog.target("plain").reason
    assert "SyntaxError" in catalog.target("broken").reason
    assert "a_package_that_is_not_installed" in catalog.target("incomplete").reason


def test_the_kinds_are_the_modules_with_connect() -> None:
    names = {module.name for module in pkgutil.iter_modules(kinds.__path__)}
    with_connect = {name for name in names if hasattr(importlib.import_module(f"backends.kinds.{name}"), "connect")}
    assert with_connect == set(kinds.KINDS)


@pytest.mark.parametrize("member", ["local", "stream", "check", "aclose"])
def test_a_backend_without_a_member_of_the_protocol(
    member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"without_{member}"
    package = tmp_path / "plugins"
    package.mkdir()
    (package / f"{module}.py").write_text(re.sub(rf"\b{member}\b( =|\()", r"other\1", THIRD_PARTY))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "plugins", raising=False)
    error = connect_error({"kind": f"plugins.{module}", "word": "x"})
    assert f"has no {member}" in error.message
    assert "backends.types.Backend" in error.remedy


def test_a_fallback_over_an_unavailable_fallback() -> None:
    entries = {
        "gpu": {"kind": "openai", "url": "${GPU_URL}"},
        "far": OPENAI,
        "inner": {"kind": "fallback", "targets": ["gpu"]},
        "outer": {"kind": "fallback", "targets": ["inner", "far"]},
    }
    catalog = Catalog(entries, source="test", environment={})
    assert catalog.target("outer").unavailable is None
    error = catalog.target("inner").unavailable
    assert isinstance(error, NotConfigured)
    assert error.target == "inner"
    assert error.message.startswith("Target inner: None of its targets can be used.")


def test_a_hub_target_without_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "from backends import Catalog\n"
        "entry = {'kind': 'huggingface', 'model': 'm'}\n"
        "print(Catalog({'x': entry}, source='test').target('x').reason)\n"
    )
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "There is no Hugging Face token. Set HF_TOKEN" in process.stdout


def test_the_hub_s_address_and_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_from_environment")
    backend = Catalog({"x": {"kind": "huggingface", "model": "m"}}, source="test").connect("x")
    assert backend.endpoint.url == "https://router.huggingface.co/v1"  # type: ignore[attr-defined]
    assert backend.endpoint.api_key == "hf_from_environment"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("http://host:8000/", "http://host:8000/v1"),
        (" http://host:8000/v1/ ", "http://host:8000/v1"),
        ("http://host/v1/chat/completions", "http://host/v1"),
        ("https://host/openai/v1", "https://host/openai/v1"),
    ],
)
def test_forms_of_a_url(text: str, base: str) -> None:
    assert base_url(text) == base


async def test_check_targets_checks_every_server(server: WireServer) -> None:
    server.on("/v1/models", Reply.json({"data": [{"id": "tiny"}]}))
    entries = {
        "there": {"kind": "openai", "url": server.url},
        "gone": {"kind": "openai", "url": "http://127.0.0.1:9"},
        "other": {"kind": "openai", "url": server.url, "model": "big"},
        "unset": {"kind": "openai", "url": "${UNSET_URL}"},
        "here": {"kind": "transformers"},
    }
    errors = {target.name: target.unavailable for target in await Catalog(entries, source="test").check_targets(2)}
    assert errors["there"] is None
    assert errors["here"] is None
    assert isinstance(errors["gone"], Unreachable)
    assert isinstance(errors["other"], Rejected)
    assert isinstance(errors["unset"], NotConfigured)


async def test_check_targets_does_not_wait_for_a_silent_server(server: WireServer) -> None:
    server.on("/v1/models", Reply(end="hang"))
    catalog = Catalog({"silent": {"kind": "openai", "url": server.url}}, source="test")
    (silent,) = await catalog.check_targets(0.1)
    assert isinstance(silent.unavailable, Unreachable)
    assert "0.1 s" in silent.reason


def test_an_error_is_a_sentence_and_a_remedy() -> None:
    assert str(BackendError("It broke.", "Mend it.")) == "It broke. Mend it."
    assert str(BackendError("It broke.")) == "It broke."
