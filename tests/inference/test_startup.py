"""Startup: responses before the model is loaded, and errors that end the server."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.helpers.servers import serving, wait_until
from tests.inference.bucket import Bucket
from tests.inference.servers import Server, launch_server, model_file, question, run_server


def run_to_exit(folder: Path, **environment: str | int) -> tuple[int, Server]:
    """Run a server that cannot start, and return its exit status."""
    with launch_server(folder, **environment) as server:
        status = server.wait()
        wait_until(lambda: not server.processes())
    return status, server


def failure(server: Server) -> str:
    """The error in the log."""
    [line] = [line for line in server.log if line["level"] == "error"]
    return f"{line['message']} {line.get('remedy', '')}"


def listens(server: Server) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


def test_server_is_alive_before_it_is_ready(tmp_path: Path) -> None:
    with serving(Bucket({"models/m.gguf": b"slow"})) as bucket:
        bucket.hold = True  # the download never ends
        with launch_server(tmp_path / "log", **bucket.environment("models", tmp_path)) as server:
            wait_until(lambda: listens(server))
            assert server.get("/health").status_code == 200
            for route in ("/ready", "/ping"):
                answer = server.get(route)
                assert (answer.status_code, answer.json()) == (503, {"status": "loading"})
            answer = server.post("/v1/chat/completions", question())
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert "loading" in answer.json()["error"]["message"]
            assert server.get("/v1/models").status_code == 503
            assert server.metric("ready") == 0
            server.signal()
            assert server.wait() == 0  # although a thread still downloads


def test_signal_while_the_engine_loads(tmp_path: Path) -> None:
    model_file()
    with launch_server(tmp_path) as server:
        wait_until(server.children)
        [engine] = server.children()
        os.kill(engine, signal.SIGSTOP)  # it never finishes loading
        wait_until(lambda: listens(server))
        assert server.get("/ready").status_code == 503
        server.signal()
        try:
            assert server.wait() == 0
        finally:
            with suppress(ProcessLookupError):  # it has exited, as expected
                os.kill(engine, signal.SIGCONT)
        wait_until(lambda: not server.processes())


def test_ready_server(server: Server) -> None:
    for route in ("/ready", "/ping"):
        assert (server.get(route).status_code, server.get(route).json()) == (200, {"status": "ready"})
    assert server.metric("ready") == 1
    assert server.metric("slots") == 2
    assert server.log_lines(message="ready", level="info")


def test_missing_model(tmp_path: Path) -> None:
    status, server = run_to_exit(tmp_path, SPACEPORT_MODEL="/nowhere/m.gguf")
    assert status == 1
    assert "There is no model file /nowhere/m.gguf" in failure(server)


def test_invalid_model(tmp_path: Path) -> None:
    path = tmp_path / "text.gguf"
    path.write_text("This is not a model.")
    status, server = run_to_exit(tmp_path / "log", SPACEPORT_MODEL=str(path))
    assert status == 1
    assert "could not load text.gguf" in failure(server)


def test_truncated_model(tmp_path: Path) -> None:
    path, content = tmp_path / "half.gguf", model_file().read_bytes()
    path.write_bytes(content[: len(content) // 2])
    status, server = run_to_exit(tmp_path / "log", SPACEPORT_MODEL=str(path))
    assert status == 1
    assert "could not load half.gguf" in failure(server)


@pytest.mark.parametrize(("names", "reason"), [((), "no GGUF file"), (("a.gguf", "b.gguf"), "a.gguf, b.gguf")])
def test_folder_without_exactly_one_model(tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    (tmp_path / "models").mkdir()
    for name in names:
        (tmp_path / "models" / name).touch()
    status, server = run_to_exit(tmp_path / "log", SPACEPORT_MODEL=str(tmp_path / "models"))
    assert status == 1
    assert reason in failure(server)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPACEPORT_PARALLEL", "four"),
        ("SPACEPORT_PORT", "tcp://10.0.0.1:80"),
        ("SPACEPORT_KIND", "x"),
        ("SPACEPORT_API_KEY_FILE", "/nowhere/key"),
    ],
)
def test_error_names_the_invalid_setting(tmp_path: Path, name: str, value: str) -> None:
    status, server = run_to_exit(tmp_path, **{name: value})
    assert status == 2
    assert name in server.errors
    assert "Traceback" not in server.errors


def test_unknown_target(tmp_path: Path) -> None:
    status, server = run_to_exit(tmp_path, SPACEPORT_TARGET="unknown", SPACEPORT_PARALEL="2")
    assert status == 1
    assert "unknown" in failure(server)
    [warning] = server.log_lines(level="warning")
    assert "SPACEPORT_PARALEL" in warning["message"]
    assert "SPACEPORT_PARALLEL" in warning["message"]


def test_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        status, server = run_to_exit(tmp_path, SPACEPORT_PORT=listener.getsockname()[1])
    assert status == 1
    assert "is already in use. Stop the program that listens on it, or set SPACEPORT_PORT" in failure(server)


def test_model_from_a_bucket(tmp_path: Path) -> None:
    with serving(
        Bucket({"models/": b"", "models/a/m.gguf": model_file().read_bytes(), "models/notes": b"x"})
    ) as bucket:
        with run_server(tmp_path / "log", **bucket.environment("models", tmp_path)) as server:
            assert server.get("/v1/models").json()["data"][0]["id"] == "m"
        assert bucket.listings > 1
        assert set(bucket.tokens) == {"Bearer token-of-the-machine"}


@pytest.mark.parametrize(
    ("fault", "reason"), [("refused", "refused gs://b/models (403)"), ("short", "instead of 100"), ("empty", "no file")]
)
def test_failing_bucket(tmp_path: Path, fault: str, reason: str) -> None:
    with serving(Bucket({} if fault == "empty" else {"models/m.gguf": b"x" * 100})) as bucket:
        bucket.fault = fault
        status, server = run_to_exit(tmp_path / "log", **bucket.environment("models", tmp_path))
    assert status == 1
    assert reason in failure(server)
    assert not list(tmp_path.rglob("*.gguf"))
