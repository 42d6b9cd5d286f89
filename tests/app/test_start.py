"""Every way to start the page; test_library.py starts it in its own folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from tests.conftest import ROOT
from tests.helpers.apps import running_app
from tests.helpers.servers import wait_until

GRADIO = str(Path(sys.executable).with_name("gradio"))
SPACE = ROOT / "spaces" / "chat_rag"


def test_gradio_starts_it_from_the_root_with_its_api_and_no_other(tmp_path: Path, catalog: Path) -> None:
    # It ends here, not with the module: `gradio` looks for changes 20 times a second.
    command = [GRADIO, "spaces/chat_rag/app.py"]
    with running_app(tmp_path, command=command, SPACEPORT_CATALOG=str(catalog)) as app:
        assert "Chat with documents" in httpx2.get(f"{app.url}/config").text
        api = httpx2.get(f"{app.url}/gradio_api/info").json()["named_endpoints"]
        assert list(api) == ["/ask_documents", "/search_documents"]


def test_an_edit_appears_without_a_restart_of_gradio_in_the_folder_of_the_page(tmp_path: Path, catalog: Path) -> None:
    copy = tmp_path / "chat_rag"
    shutil.copytree(SPACE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    page = copy / "app.py"
    assert "title=TEXT.title," in page.read_text()
    edited = page.read_text().replace("title=TEXT.title,", 'title="Edited a moment ago",')
    with running_app(tmp_path, command=[GRADIO, "app.py"], cwd=copy, SPACEPORT_CATALOG=str(catalog)) as app:

        def is_visible() -> bool:
            page.write_text(edited)  # repeat it until the watcher has started
            time.sleep(1)
            return "Edited a moment ago" in httpx2.get(f"{app.url}/config").text

        wait_until(is_visible, 60, app.log.read_text)


INVALID = {
    "--backend gpu": "SPACEPORT_GPU_URL is not set",
    "--backend laptp": "Did you mean laptop?",
    "--catalog nowhere.toml": "nowhere.toml cannot be read",
}
# Starts the page with each of its arguments in one process, because each import of Gradio takes seconds.
START_EACH = """
import runpy, sys
for arguments in sys.argv[1:]:
    sys.argv[1:] = arguments.split()
    try:
        runpy.run_path("spaces/chat_rag/app.py", run_name="__main__")
    except SystemExit as error:
        print(arguments, repr(error.code), sep=": ")
"""


def test_an_invalid_start_exits_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        invalid = INVALID | {f"--port {port}": f"Port {port} is already in use.\\n  Stop the program"}
        command = [sys.executable, "-c", START_EACH, *invalid]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    for line, (arguments, message) in zip(process.stdout.splitlines(), invalid.items(), strict=True):
        assert line.startswith(f"{arguments}: ")
        assert message in line


SPACES_PACKAGE = """
decorated = []
def GPU(duration=None):
    return lambda function: decorated.append(function.__name__) or function
"""


def test_on_zero_gpu_every_page_has_a_gpu_function(tmp_path: Path) -> None:
    """ZeroGPU refuses to start an app that has not decorated a function when it is launched."""
    (tmp_path / "spaces.py").write_text(SPACES_PACKAGE)
    process = subprocess.run(
        [sys.executable, "-c", "import ui.launch, spaces; print(spaces.decorated)"],
        cwd=tmp_path,
        env={**os.environ, "SPACES_ZERO_GPU": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.strip() == "['generate']"
