"""A real Docker engine, images built from this working tree, and a container of the inference image."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from containers import images, sandbox
from rag.search.embedding.onnx_export import cached_export
from tests.conftest import CERTIFICATES, missing
from tests.helpers.servers import free_port, wait_until

TAG = "test"
TRUST = Path(CERTIFICATES.cafile) if CERTIFICATES.cafile else None


@pytest.fixture(scope="session")
def engine() -> Any:
    """A client of a Docker engine that has the base image."""
    try:
        client = images.docker_client()
        client.images.get(images.BASE)
    except Exception as error:
        missing(f"a Docker engine with the image {images.BASE} ({error})")
    yield client
    client.close()


@pytest.fixture(scope="session")
def inference_image(engine: Any) -> str:
    tag = f"spaceport-inference:{TAG}"
    list(images.build(engine, "inference", tag, trust=TRUST, local_base=True))
    return tag


@pytest.fixture(scope="session")
def edge_image(engine: Any) -> str:
    tag = f"spaceport-edge:{TAG}"
    list(images.build(engine, "edge", tag, trust=TRUST, local_base=True))
    return tag


@pytest.fixture(scope="session")
def gateway_image(engine: Any) -> str:
    tag = f"spaceport-gateway:{TAG}"
    list(images.build(engine, "gateway", tag, trust=TRUST, local_base=True))
    return tag


@pytest.fixture(scope="session")
def container_url(engine: Any, inference_image: str) -> Iterator[str]:
    """The URL of an inference container that all tests share."""
    with sandbox.run_container(engine, inference_image) as (_, url):
        yield url


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty registry; Docker trusts one on the loopback interface without TLS."""
    program = shutil.which("docker-registry")
    if not program:
        missing("docker-registry (apt-get install docker-registry)")
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(program), "serve", folder / "config.yml"], stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/v2/"))
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def demo_image(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo image, with an embedding model exported from its package, so that the Hub isn't needed."""
    tag = f"spaceport-demo:{TAG}"
    folder = tmp_path_factory.mktemp("context")
    export = cached_export()
    assert export
    shutil.copytree(export, folder / "embeddings")
    list(images.build(engine, "demo", tag, trust=TRUST, extra=folder, local_base=True))
    return tag


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code == 200
    except httpx2.TransportError:
        return False
