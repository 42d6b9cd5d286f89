"""A build on Ray: the same library, also after a process was killed, after Ctrl-C and without the head of Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from rag.__main__ import main
from rag.library.built.build import WORK
from tests.conftest import ROOT, missing
from tests.rag.library.built.conftest import Builder, files

TASK = "ray::_read_and_embed"  # the name that Ray gives to a process while it works
# Ray as a build without RAY_ADDRESS starts it, for builds of other processes: its address, then its token.
START_RAY = """
import os, sys
from rag.library.built.ray_workers import _cluster
with _cluster() as ray:
    print(ray.get_runtime_context().gcs_address, os.environ["RAY_AUTH_TOKEN"], flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Ray:
    """A Ray that several builds use; all its processes are children of `starter`."""

    starter: subprocess.Popen[str]
    settings: dict[str, str]

    @property
    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.starter.pid).children(recursive=True)


@pytest.fixture(scope="module")
def ray() -> Iterator[Ray]:
    require_ray()
    # Its sockets are below this folder, and the path of a socket has at most 107 characters.
    with TemporaryDirectory(prefix="ray-") as folder, ExitStack() as stack:
        settings = {"RAY_TMPDIR": folder, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
        settings |= {"OMP_NUM_THREADS": "1"}  # one processor, and so one process at a time that works
        for _ in range(3):  # Ray gives its own processes 30 s to start, which a busy machine can miss
            command = [sys.executable, "-c", START_RAY]
            starter = stack.enter_context(started(command, settings | {"RAY_ADDRESS": "local"}))
            assert starter.stdout is not None
            if words := starter.stdout.readline().split():
                break
        assert len(words) == 2, starter.communicate()
        yield Ray(starter, settings | {"RAY_ADDRESS": words[0], "RAY_AUTH_TOKEN": words[1]})


@pytest.fixture
def notes(folder: Path) -> Path:
    """A folder that takes a while to build."""
    for number in range(6):
        (folder / f"note {number}.txt").write_text(f"Note {number} says that boat {number} has {number} sails. " * 100)
    return folder


def require_ray() -> None:
    if find_spec("ray") is None:
        missing("Ray (pip install 'spaceport[ray]')")


@contextmanager
def started(command: Sequence[str | Path], settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start a process, and end it with all that it started."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, text=True, start_new_session=True, **pipes)
    try:
        yield process
    finally:
        processes = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.kill()
        process.communicate()
        for each in processes:
            with suppress(psutil.Error):
                each.kill()


def build_on(settings: dict[str, str], folder: Path, out: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "rag", "build", folder, "--out", out, "--name", "Handbook", "--workers", "ray"]
    return started([*command, "--originals"], settings)


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not condition():
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()


def stored(library: Path) -> int:
    done = library / WORK / "documents"
    return len(list(done.iterdir())) if done.is_dir() else 0


def test_a_build_on_ray_is_the_same_after_a_killed_process_and_after_an_interruption(
    ray: Ray, notes: Path, tmp_path: Path, build: Builder
) -> None:
    library = tmp_path / "library"
    with build_on(ray.settings, notes, library) as process:
        wait_until(lambda: stored(library), process)
        assert set(chain.from_iterable(map(listening, ray.processes))) <= {"127.0.0.1", "::1"}
        wait_until(lambda: kill_one_task(ray), process)
        before = stored(library)
        wait_until(lambda: stored(library) > before, process)
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "")
    assert "Traceback" not in errors
    assert not (library / "manifest.json").exists()
    with build_on(ray.settings, notes, library) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    build(notes, tmp_path / "here", originals=True)
    assert 0 < errors.count(" of ") < len(build.lines)
    assert files(library) == files(tmp_path / "here")


def test_a_build_whose_ray_head_is_gone_says_so_and_loses_nothing(
    ray: Ray, notes: Path, tmp_path: Path, build: Builder
) -> None:
    library, processes = tmp_path / "library", ray.processes
    with build_on(ray.settings, notes, library) as process:
        wait_until(lambda: stored(library), process)
        ray.starter.communicate(timeout=60)  # the end of its input, and of Ray
        done = stored(library)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "it goes on where it stopped" in errors
    assert "Traceback" not in errors
    assert not psutil.wait_procs(processes, timeout=30)[1]
    build(notes, tmp_path / "here", originals=True)
    whole = len(build.lines)
    build(notes, library, originals=True)
    assert len(build.lines) <= whole - done
    assert files(library) == files(tmp_path / "here")


def listening(process: psutil.Process) -> list[str]:
    """Return the addresses at which a process can be reached; none if it has ended."""
    with suppress(psutil.Error):
        sockets = process.net_connections("inet")
        return [each.laddr.ip.removeprefix("::ffff:") for each in sockets if each.status == psutil.CONN_LISTEN]
    return []


def kill_one_task(ray: Ray) -> bool:
    for each in ray.processes:
        with suppress(psutil.Error):
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


def test_a_ray_that_does_not_start_is_an_error_in_words(folder: Path, tmp_path: Path) -> None:
    require_ray()
    settings = {"RAY_ADDRESS": "local", "RAY_TMPDIR": str(tmp_path / ("x" * 100))}  # too long for a socket
    with build_on(settings, folder, tmp_path / "library") as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Ray doesn't start (" in errors
    assert "Traceback" not in errors
