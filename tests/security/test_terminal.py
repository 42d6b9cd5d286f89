"""Attacks on the terminal of who runs a command: what others wrote is displayed and never obeyed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.library.built.manifest import FORMAT

pty = pytest.importorskip("pty")

# Sets the title of the window, writes to the clipboard, and clears the screen, in 7 and in 8 bits.
EVIL = "\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[2J\x9b2J"


def shown(*command: str) -> str:
    """Return what a command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, *command], stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    data = b""
    try:
        while part := os.read(ours, 65536):
            data += part
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(ours)
    process.wait(60)
    return data.decode()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_command_prints_the_control_characters_of_others_as_symbols(stream: str) -> None:
    code = (
        "import sys; from backends.commands.terminal import exit_status\n"
        f"exit_status(lambda: print(sys.argv[1], '\\x1b[2mdim\\x1b[0m', 'ä', file=sys.{stream}) or 0)"
    )
    text = shown("-c", code, EVIL)
    assert text == "␛]0;owned␇␛]52;c;b3duZWQ=␇␛[2J\ufffd2J \x1b[2mdim\x1b[0m ä\r\n"


def test_an_error_prints_the_control_characters_of_others_as_symbols() -> None:
    code = (
        "import sys; from backends.commands.terminal import exit_status; from backends import Rejected\n"
        "def fail(): raise Rejected(sys.argv[1], 'No remedy.', status=400)\n"
        "exit_status(fail)"
    )
    assert "\x1b" not in shown("-c", code, EVIL)


def test_a_library_of_somebody_else_is_inspected_without_obeying_it(tmp_path: Path) -> None:
    manifest = {"format": FORMAT, "name": EVIL, "label": EVIL}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    text = shown("-m", "rag", "inspect", str(tmp_path))
    assert "is damaged" in text
    (tmp_path / "manifest.json").write_text(json.dumps({"format": EVIL}))
    text += shown("-m", "rag", "inspect", str(tmp_path))
    assert "has the format" in text
    assert "\x1b" not in text


def test_a_file_gets_the_exact_text(tmp_path: Path) -> None:
    code = (
        "import sys; from backends.commands.terminal import exit_status\nexit_status(lambda: print(sys.argv[1]) or 0)"
    )
    process = subprocess.run([sys.executable, "-c", code, EVIL], check=True, capture_output=True)
    assert process.stdout.decode() == f"{EVIL}\n"
