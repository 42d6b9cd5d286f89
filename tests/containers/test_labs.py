"""The commands of docs/labs.md that this machine can run print what the page says, apart from its numbers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple

import pytest

from backends.local_models.model_files import packaged_model
from containers.stack import compose_command
from tests.conftest import ROOT
from tests.containers import test_images
from tests.containers.conftest import TAG
from tests.helpers.servers import free_port

PAGE = (ROOT / "docs" / "labs.md").read_text()
LIMIT = 120  # seconds of a command
END = "end-of-the-command"
# Commands that the tests of the images run with the same checks.
RUN_ELSEWHERE = {
    "python -m containers check spaceport-edge:dev": (
        test_images.test_edge_image_keeps_the_promises_of_the_inference_image_in_100_mb
    )
}


class Command(NamedTuple):
    """A command of the page and what it prints; `…` stands for any text."""

    line: str
    output: str


def commands() -> Iterator[Command]:
    """Yield the commands of the page that are to be run."""
    for block in re.findall(r"^```console\n(.+?)^```", PAGE, re.DOTALL | re.MULTILINE):
        for each in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, output = each.partition("\n")
            yield Command(line, output)


def pattern(text: str) -> str:
    """A pattern for an output, whatever its numbers and spaces are."""
    return ".*".join(map(re.escape, comparable(text).split("…")))


def comparable(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.,]*", "0", text)).strip()


class Shell:
    """One bash for all commands of the page, as in a terminal: variables and jobs of one command are there in the next.

    Its commands are those of a user who has activated the virtual environment.
    """

    def __init__(self, data: Path) -> None:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("SPACEPORT_", "COMPOSE_"))
        }
        variables = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        variables["SPACEPORT_DATA"] = str(data)
        if network := os.environ.get("SPACEPORT_BUILD_NETWORK"):
            variables["SPACEPORT_BUILD_NETWORK"] = network
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-o", "pipefail"], cwd=ROOT, env=inherited | variables, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def run(self, line: str) -> tuple[int, str]:
        """Run a command; return its status and what it prints."""
        process = self._process
        assert process.stdin and process.stdout
        process.stdin.write(f"{{ {line}\n}} </dev/null\nprintf '\\n%s %s\\n' {END} $?\n")
        process.stdin.flush()
        watchdog = Timer(LIMIT, self._kill)
        watchdog.start()
        printed = ""
        for each in process.stdout:
            if each.startswith(END):
                watchdog.cancel()
                return int(each.split()[1]), printed
            printed += each
        raise AssertionError(f"no end within {LIMIT} s: {printed}")

    def close(self) -> None:
        """End the shell and all that it started."""
        self._kill()
        with suppress(BrokenPipeError), self._process:
            pass

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def local_names(tmp_path_factory: pytest.TempPathFactory, registry: str) -> dict[str, str]:
    """What a test machine has instead of the names in the commands."""
    return {
        ":dev": f":{TAG}",
        "build edge": f"build edge --tag {TAG} --trust-mine --local-base",
        "8080:8080": f"{(port := free_port())}:8080",
        "127.0.0.1:8080": f"127.0.0.1:{port}",
        "127.0.0.1:5000": registry,
        "python -m gateway >": f"SPACEPORT_PORT={port} SPACEPORT_HOST=127.0.0.1 python -m gateway >",
        "/tmp/gateway.log": str(tmp_path_factory.mktemp("log") / "gateway.log"),
        "./models": str(packaged_model().parent),
        "docker compose": " ".join(compose_command()),
        "--name lab": "--name spaceport-lab",
        "stop lab": "stop spaceport-lab",
    }


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, registry: str) -> Iterator[Shell]:
    shell = Shell(tmp_path_factory.mktemp("data"))
    yield shell
    shell.close()
    subprocess.run(["docker", "rm", "--force", "spaceport-lab"], capture_output=True)
    subprocess.run(["docker", "image", "rm", f"{registry}/spaceport-edge:0.1.0"], capture_output=True)


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.line[:60])
def test_a_command_prints_what_the_page_says(
    command: Command,
    shell: Shell,
    local_names: dict[str, str],
    engine: Any,
    edge_image: str,
    inference_image: str,
) -> None:
    if command.line in RUN_ELSEWHERE:
        return
    line, expected = command
    for name, here in local_names.items():
        line, expected = line.replace(name, here), expected.replace(name, here)
    if line.startswith("python -m gateway report"):
        time.sleep(2)  # the gateway writes the rows of a second at once
    status, output = shell.run(line)
    assert status == 0, output
    printed = comparable(output)
    expected = "spaceport-lab" if line.endswith("stop spaceport-lab") else expected
    assert re.fullmatch(pattern(expected), printed, re.DOTALL), printed


def test_the_page_has_every_lab_and_activity_in_its_contents() -> None:
    for kind, count in (("Lab", 7), ("Activity", 5)):
        assert [int(number) for number in re.findall(rf"^## {kind} (\d+): ", PAGE, re.MULTILINE)] == [
            *range(1, count + 1)
        ]
    for heading in re.findall(r"^## (.+)$", PAGE, re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")
        assert f"(#{anchor})" in PAGE, heading


def test_the_page_has_no_secret_and_no_private_address() -> None:
    assert not re.search(r"(?i)password[=:]\s*\w|sk-spaceport-\w|hf_\w{8}|AKIA\w{8}", PAGE)
    assert set(re.findall(r"https?://([\w.-]+)", PAGE)) <= {"127.0.0.1", "…"}
