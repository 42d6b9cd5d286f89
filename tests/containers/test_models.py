"""Models with other dependencies behind the gateway: the written files, and a gateway that serves one more model."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from backends import Catalog
from backends.token_prices import read_token_price
from containers import images, stack
from containers.images import ContainerError
from containers.models.files import CLUSTER_CATALOG, COMPOSE, COMPOSE_CATALOG, MANIFESTS, render
from containers.models.table import FILE, read_models
from tests.backends.wire_server import Reply, serving
from tests.conftest import ROOT, missing
from tests.gateway.servers import EMBEDDINGS, VECTORS, gateway
from tests.inference.servers import launch_server
from tests.inference.targets import ANSWER, CHAT
from tests.k8s.checks import CHECKS
from tests.k8s.conftest import kustomize
from tests.k8s.test_schemas import VERSIONS, validate

(BLOCK,) = re.findall(r"```toml\n(\[translate\]\n.+?)```", (ROOT / "docs/gateway.md").read_text(), re.DOTALL)
WITH_ONE_MORE = f"{FILE.read_text()}\n{BLOCK}"
NAMES = ["qwen", "embeddings", "translate"]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The files with the block of the docs."""
    return render(WITH_ONE_MORE)


def test_the_files_in_the_repository_are_those_of_the_list() -> None:
    for name, text in render(FILE.read_text()).items():
        assert (ROOT / name).read_text() == text, "Run: python -m containers models"


def test_one_more_model_is_a_block_of_six_lines(texts: dict[str, str]) -> None:
    assert len(BLOCK.strip().splitlines()) == 6
    service = yaml.safe_load(texts[COMPOSE])["services"]["translate"]
    assert (service["image"], service["cpus"], service["mem_limit"]) == ("ghcr.io/OWNER/translate:1.0.0", 2, "4096m")
    for file in (COMPOSE_CATALOG, CLUSTER_CATALOG):
        target = tomllib.loads(texts[file])["translate"]
        assert (target["url"], target["price"]) == ("http://translate:8000/v1", "tokens:0/0")


def test_compose_runs_the_models_as_confined_as_the_stack(texts: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "compose").mkdir()
    for name in ("compose.yaml", "compose/models.yaml"):
        (tmp_path / name).write_text(texts.get(f"containers/{name}") or (ROOT / "containers" / name).read_text())
    services = compose_config(tmp_path)
    assert set(NAMES) < set(services)
    hardened = ("init", "restart", "read_only", "cap_drop", "security_opt", "logging")
    for name in NAMES:
        assert {key: services[name][key] for key in hardened} == {key: services["redis"][key] for key in hardened}
        assert services[name]["tmpfs"] == ["/tmp:size=2048m"]
        assert "ports" not in services[name]
        assert {"interval", "timeout", "retries", "start_period"} <= services[name]["healthcheck"].keys()
    catalogs = [each for each in services["gateway"]["volumes"] if "/etc/spaceport/backends.toml" in str(each)]
    assert len(catalogs) == 1
    assert "models-gateway.toml" in str(catalogs)


def test_the_profile_starts_the_gateway_and_the_models(capfd: pytest.CaptureFixture[str]) -> None:
    profiles = stack.with_needed(["models"])
    assert profiles == ["gateway", "models"]
    stack._compose(["config", "--services"], profiles, (), None, "spaceport-models-test")
    assert {"qwen", "embeddings", "gateway", "redis", "inference"} <= set(capfd.readouterr().out.split())


def compose_config(folder: Path) -> dict[str, Any]:
    """The services as Compose reads them, after a check of the schema."""
    files = [folder / "compose.yaml", folder / "compose/models.yaml"]
    schema = Path(sys.executable).with_name("check-jsonschema")
    subprocess.run([schema, "--builtin-schema", "vendor.compose-spec", files[1]], check=True, capture_output=True)
    if not shutil.which("docker-compose"):
        missing("docker-compose (apt-get install docker-compose)")
    options = [option for file in files for option in ("-f", str(file))]
    command = ["docker-compose", *options, "--profile", "gateway", "--profile", "models", "config"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    services: dict[str, Any] = yaml.safe_load(result.stdout)["services"]
    return services


def test_kubernetes_gets_the_model_with_limits_and_policies(texts: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "k8s", tmp_path / "k8s")
    for name in (MANIFESTS, CLUSTER_CATALOG):
        (tmp_path / name).write_text(texts[name])
    objects = kustomize(tmp_path / "k8s/overlays/models")
    assert {"translate"} <= {item["metadata"]["name"] for item in objects if item["kind"] == "Deployment"}
    assert [problem for check in CHECKS for problem in check(objects)] == []
    for item in (each for each in objects if "translate" in each["metadata"]["name"]):
        for version in VERSIONS:
            validate(item, version)


def test_each_of_our_images_has_a_tag_on_kubernetes(tmp_path: Path) -> None:
    """Without one, the cluster would pull `latest`."""
    blocks = [f'[my-{name}]\nimage = "spaceport-{name}"\ncpus = 1\nmemory_gb = 1\n' for name in images.NAMES]
    shutil.copytree(ROOT / "k8s", tmp_path / "k8s")
    (tmp_path / MANIFESTS).write_text(render("\n".join(blocks))[MANIFESTS])
    objects = {
        item["metadata"]["name"]: item
        for item in kustomize(tmp_path / "k8s/overlays/models")
        if item["kind"] == "Deployment"
    }
    for name in images.NAMES:
        (container,) = objects[f"my-{name}"]["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"spaceport-{name}:0.1.0"


def test_variables_in_texts_are_for_the_container() -> None:
    """Compose and Kubernetes read `$$` as `$`, and would replace `${HOME}` and `$(HOME)`."""
    block = 'image = "b:1.0"\ncpus = 1\nmemory_gb = 1\nenvironment = {SALT = "a$b ${HOME} $(HOME) $$"}\n'
    texts = render(f'[a]\n{block}args = ["$HOME"]\nprobe = ["sh", "-c", "test $HOME"]')
    service = yaml.safe_load(texts[COMPOSE])["services"]["a"]
    assert service["environment"] == {"SALT": "a$$b $${HOME} $$(HOME) $$$$"}
    assert service["command"] == ["$$HOME"]
    assert service["healthcheck"]["test"] == ["CMD", "sh", "-c", "test $$HOME"]
    (deployment,) = [each for each in yaml.safe_load_all(texts[MANIFESTS]) if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert (container["args"], container["env"][0]["value"]) == (["$$HOME"], "a$$b $${HOME} $$(HOME) $$$$")


@pytest.mark.parametrize("name", ["gateway", "inference", "container", "anywhere"])
def test_a_name_of_another_service_or_target_is_refused(name: str) -> None:
    with pytest.raises(ContainerError, match="another service's or target's"):
        render(f'[{name}]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1')


def test_keys_of_compose_are_no_names_of_services() -> None:
    for name in ("image", "build", "metrics", "pages"):
        assert f"\n  {name}:\n" in render(f'[{name}]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1')[COMPOSE]


async def test_the_gateway_serves_all_models_by_their_names(texts: dict[str, str], tmp_path: Path) -> None:
    """One is our own server with llama.cpp, the others answer from a script."""
    with launch_server(tmp_path / "inference", SPACEPORT_API_KEY="a key") as inference:
        async with AsyncExitStack() as exits:
            wires = {name: await exits.enter_async_context(serving()) for name in NAMES}
            wires["qwen"].on(CHAT, ANSWER)
            wires["embeddings"].on(EMBEDDINGS, VECTORS)
            wires["translate"].on(CHAT, Reply.json({"error": {"message": "no memory"}}, 500))
            catalog = texts[COMPOSE_CATALOG].replace("http://inference:8080", inference.url)
            for name, wire in wires.items():
                catalog = re.sub(rf"http://{name}:\d+/v1", wire.url, catalog)
            catalog = catalog.replace("${SPACEPORT_INFERENCE_KEY}", "a key")
            inference.wait_ready()
            running = await exits.enter_async_context(gateway(wires["qwen"], tmp_path / "gateway", catalog))
            key = await running.add_key(usd=1.0)
            statuses = {name: await ask(running.client, key, name) for name in ("container", *NAMES)}
            rows = await running.rows(4)
    assert statuses == {"container": 200, "qwen": 200, "embeddings": 200, "translate": 502}
    assert {row["target"] for row in rows} == set(statuses)


async def ask(client: httpx2.AsyncClient, key: str, name: str) -> int:
    body = {"model": name, **({"input": "A text"} if name == "embeddings" else {"messages": [], "max_tokens": 4})}
    if "messages" in body:
        body["messages"] = [{"role": "user", "content": "Name a colour."}]
    route = EMBEDDINGS if name == "embeddings" else CHAT
    response = await client.post(route, json=body, headers={"authorization": f"Bearer {key}"})
    return response.status_code


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[a", "isn't TOML"),
        ("a = 1", "outside of a block"),
        ("[Gateway]", "isn't a host's name"),
        ("[gateway]", "another service's"),
        ('[a]\nimage = "b:1.0"\ncpus = 1\nmemroy_gb = 1', "memroy_gb"),
        ('[a]\nimage = "b:1.0"\ncpus = 1', "memory_gb is missing"),
        ('[a]\nimage = "b:latest"\ncpus = 1\nmemory_gb = 1', "no exact version"),
        ('[a]\nimage = "b:1.0 c"\ncpus = 1\nmemory_gb = 1', "no exact version"),
        ('[a]\nimage = "b:1.0"\ncpus = 0\nmemory_gb = 1', "cpus is 0"),
        ('[a]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1\nport = 70000', "port is 70000"),
        ('[a]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1\nready = "ready"', "not a route"),
        ('[a]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1\nenvironment = {A = 1}', "1 isn't a text"),
        ('[a]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1\nprobe = "curl -f"', "probe is 'curl -f'; expected a list"),
        ('[a]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1\nargs = "--port 80"', "args is '--port 80'; expected a list"),
        ('[a]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1\nargs = [8080]', "args is"),
        ('[a]\nimage = "b:1.0"\ncpus = 1\nmemory_gb = 1\nprice = "free"', "the price is 'free'"),
    ],
)
def test_a_wrong_block_is_named(table: str, message: str) -> None:
    with pytest.raises(ContainerError, match=message):
        read_models(table, frozenset({"gateway"}))


def test_prices_and_addresses_of_the_list_are_valid(texts: dict[str, str]) -> None:
    entries = tomllib.loads(texts[COMPOSE_CATALOG])
    catalog = Catalog(entries, source=COMPOSE_CATALOG, environment={"SPACEPORT_INFERENCE_KEY": "key"})
    assert {"container", *NAMES} <= {target.name for target in catalog.targets() if not target.reason}
    for name in NAMES:
        assert read_token_price(entries[name]["price"].removeprefix("tokens:"))
