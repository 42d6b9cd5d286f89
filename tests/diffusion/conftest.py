"""The diffusion server on a real port of this process, so that torch and diffusers are imported once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from diffusion.app import create_app
from diffusion.service import DiffusionService
from diffusion.settings import DiffusionSettings
from inference.server import Server
from tests.diffusion.tiny import SIZE, save_pipeline
from tests.helpers.servers import free_port, wait_until
from tests.inference.servers import CLIENT, events

PATH = "/v1/images/generations"


@dataclass(frozen=True)
class Running:
    """A server in this process."""

    service: DiffusionService
    server: Server
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service.settings.port}"

    def post(self, body: Any, path: str = PATH, **options: Any) -> httpx2.Response:
        return CLIENT.post(self.url + path, json=body, **options)

    def events(self, body: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
        """The events of a stream."""
        answer = self.post({**body, "stream": True}, **options)
        assert answer.status_code == 200, answer.text
        return events(answer.text)

    def metric(self, name: str) -> float:
        return self.service.metrics.registry.get_sample_value(f"spaceport_{name}") or 0.0

    def is_idle(self) -> bool:
        return self.service.queue.in_use == self.service.queue.length == 0

    def stop(self) -> None:
        self.server.handle_exit(signal.SIGTERM, None)


@contextmanager
def run_here(model: Path, **settings: Any) -> Iterator[Running]:
    """Run a server in a thread, and stop it at the end."""
    options = {"host": "127.0.0.1", "port": free_port(), "steps": 4, "drain_seconds": 5.0, **settings}
    service = DiffusionService(DiffusionSettings(model=str(model), **options))
    server = Server(service, create_app(service), service.settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: service.loaded or not thread.is_alive())
    assert service.loaded, server.failure
    running = Running(service, server, thread)
    try:
        yield running
    finally:
        if thread.is_alive():
            running.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the pipeline."""
    return save_pipeline(tmp_path_factory.mktemp("tiny") / "tiny-diffusion")


@pytest.fixture(scope="session")
def pictures(tiny: Path) -> Iterator[Running]:
    """The server that all tests share; two requests may wait."""
    import torch

    torch.set_num_threads(1)  # for so small a network several wait for each other
    with run_here(tiny, queue=2, refused_words="gore, secret plan", max_steps=200) as running:
        yield running


@contextmanager
def hooked(running: Running, hook: Callable[..., None]) -> Iterator[None]:
    """Call a hook before each call of the pipeline's network."""
    assert running.service.generator
    handle = running.service.generator.load().pipeline.unet.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def body(prompt: str = "a cat", **more: Any) -> dict[str, Any]:
    """A request for one small picture."""
    return {"prompt": prompt, "size": SIZE, "seed": 7, **more}
