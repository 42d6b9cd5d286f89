"""A build on Ray: the same library, also after a process was killed and after Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import psutil
import pytest

from rag.__main__ import main
from rag.library.built.build import WORK
from tests.conftest import ROOT
from tests.rag.library.built.conftest import Builder, files

TASK = "ray::_read_and_embed"  # the name that Ray gives to a process while it works
needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray isn't among the packages of the tests: pip install 'spaceport[ray]'"
)


@pytest.fixture
def notes(folder: Path) -> Path:
    """A folder that takes a while to build."""
    for number in range(60):
        (folder / f"note {number}.txt").write_text(f"Note {number} says that boat {number} has {number} sails. " * 40)
    return folder


@contextmanager
def build_on_ray(folder: Path, out: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "rag", "build", folder, "--out", out, "--name", "Handbook", "--workers", "ray"]
    process = subprocess.Popen(
        [*command, "--originals"], cwd=ROOT, env=os.environ | {"RAY_ADDRESS": "local"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        processes = started_by(process)
        process.kill()
        process.communicate()
        for each in processes:
            with contextlib.suppress(psutil.Error):
                each.kill()


def started_by(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not condition():
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()


@pytest.mark.time
@needs_ray
def test_a_build_on_ray_is_the_same_after_a_killed_process_and_after_an_interruption(
    notes: Path, tmp_path: Path, build: Builder
) -> None:
    library, done = tmp_path / "library", tmp_path / "library" / WORK / "documents"
    with build_on_ray(notes, library) as process:
        wait_until(lambda: done.is_dir() and len(list(done.iterdir())) > 1, process)
        processes = started_by(process)
        addresses = set(chain.from_iterable(map(listening, processes)))
        assert addresses <= {"127.0.0.1", "::1"}
        wait_until(lambda: kill_one_task(process), process)
        stored = len(list(done.iterdir()))
        wait_until(lambda: len(list(done.iterdir())) > stored + 1, process)
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "")
    assert "Traceback" not in errors
    assert not [each for each in psutil.wait_procs(processes, timeout=10)[1] if each.is_running()]
    assert not (library / "manifest.json").exists()
    with build_on_ray(notes, library) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert 0 < errors.count(" of ") < 65  # 65 files would be a build from the start
    build(notes, tmp_path / "here", originals=True)
    assert files(library) == files(tmp_path / "here")


def listening(process: psutil.Process) -> list[str]:
    """Return the addresses at which a process can be reached; none if it has ended."""
    with contextlib.suppress(psutil.Error):
        sockets = process.net_connections("inet")
        return [each.laddr.ip.removeprefix("::ffff:") for each in sockets if each.status == psutil.CONN_LISTEN]
    return []


def kill_one_task(process: subprocess.Popen[str]) -> bool:
    for each in started_by(process):
        with contextlib.suppress(psutil.Error):
            if TASK in " ".join(each.cmdline()):
                each.kill()
                return True
    return False


def test_without_ray_the_error_names_the_extra(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["build", str(folder), "--out", str(tmp_path / "library"), "--workers", "ray"]) == 1
    assert "pip install 'spaceport[ray]'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["build", str(folder), "--out", str(tmp_path / "library"), "--workers", "0"])
