"""Settings from environment variables: precedence, validation and error messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends import NotConfigured
from inference.settings import Settings, from_environment, warnings


def test_without_variables_the_defaults_apply() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({"SPACEPORT_PORT": " ", "SPACEPORT_MODEL": "", "PORT": "1"}) == Settings()


def test_our_names_take_precedence_over_the_platforms() -> None:
    platforms = {"AIP_HTTP_PORT": "3", "SAGEMAKER_BIND_TO_PORT": "2"}
    assert from_environment({"SPACEPORT_PORT": "1", **platforms}).port == 1
    assert from_environment(platforms).port == 2
    assert from_environment({"AIP_HTTP_PORT": "3"}).port == 3
    vertex = {"AIP_HEALTH_ROUTE": "/h", "AIP_PREDICT_ROUTE": "/p", "AIP_STORAGE_URI": "gs://b/m"}
    settings = from_environment(vertex)
    assert (settings.health_route, settings.predict_route, settings.storage_uri) == ("/h", "/p", "gs://b/m")


def test_numbers_are_parsed() -> None:
    variables = {"SPACEPORT_PARALLEL": "4", "SPACEPORT_DRAIN_SECONDS": "0", "SPACEPORT_QUEUE": "0"}
    settings = from_environment({**variables, "SPACEPORT_SILENCE_SECONDS": "0.2"})
    assert (settings.parallel, settings.queue) == (4, 0)
    assert (settings.drain_seconds, settings.silence_seconds) == (0.0, 0.2)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SPACEPORT_PARALLEL", "four", "not a whole number"),
        ("SPACEPORT_PARALLEL", "1.5", "not a whole number"),
        ("SPACEPORT_PARALLEL", "0", "from 1"),
        ("SPACEPORT_PORT", "0", "from 1 to 65535"),
        ("AIP_HTTP_PORT", "70000", "from 1 to 65535"),
        ("SPACEPORT_PORT", "tcp://10.0.0.1:80", "enableServiceLinks"),
        ("SPACEPORT_CONTEXT", "8", "from 64"),
        ("SPACEPORT_DRAIN_SECONDS", "-1", "from 0"),
        ("SPACEPORT_DRAIN_SECONDS", "nan", "from 0"),
        ("SPACEPORT_REQUEST_SECONDS", "soon", "not a number"),
        ("SPACEPORT_REQUEST_SECONDS", "0", "from 0.001"),
        ("SPACEPORT_REQUEST_SECONDS", "inf", "number"),
        ("SPACEPORT_SILENCE_SECONDS", "inf", "number"),
        ("SPACEPORT_MAX_BODY_MB", "inf", "number"),
        ("SPACEPORT_MAX_CONNECTIONS", "0", "from 1"),
        ("SPACEPORT_MAX_MESSAGES", "0", "from 1"),
        ("SPACEPORT_KIND", "x", "embedded, transformers"),
        ("SPACEPORT_LOG_LEVEL", "loud", "debug, info"),
        ("AIP_HEALTH_ROUTE", "health", "slash"),
        ("SPACEPORT_PREDICT_ROUTE", "predict", "slash"),
    ],
)
def test_error_names_the_variable(name: str, value: str, reason: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        from_environment({name: value})
    assert name in caught.value.message
    assert reason in str(caught.value)


def test_key_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("  secret\n")
    assert from_environment({"SPACEPORT_API_KEY_FILE": str(file)}).api_key == "secret"
    assert from_environment({"SPACEPORT_API_KEY": "other", "SPACEPORT_API_KEY_FILE": str(file)}).api_key == "other"
    assert "secret" not in repr(from_environment({"SPACEPORT_API_KEY_FILE": str(file)}))


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_key_file_without_a_key_is_rejected(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(NotConfigured, match="SPACEPORT_API_KEY_FILE"):
        from_environment({"SPACEPORT_API_KEY_FILE": str(file)})


def test_setting_with_an_old_name_is_warned_of() -> None:
    [line] = warnings({"SPACEPORT_LOOK_SECONDS": "3"})
    assert "SPACEPORT_LOOK_SECONDS" in line
    assert "SPACEPORT_HEALTH_CHECK_SECONDS" in line


def test_only_likely_typos_are_warned_of() -> None:
    [line] = warnings({"SPACEPORT_PARALEL": "4"})
    assert "SPACEPORT_PARALEL" in line
    assert "SPACEPORT_PARALLEL" in line
    kubernetes = ("SERVICE_HOST", "SERVICE_PORT", "PORT_8080_TCP", "PORT_8080_TCP_ADDR", "PORT_8080_TCP_PROTO")
    others = ("CATALOG", "MODEL_CACHE", "TEST_DATA", "CHROMA_URL", "EMBEDDINGS")
    assert warnings({f"SPACEPORT_{name}": "x" for name in (*kubernetes, *others)}) == []
    assert warnings({"SPACEPORT_MODEL": "x", "SPACEPORT_API_KEY_FILE": "x", "PATH": "x"}) == []
