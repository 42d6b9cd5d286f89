"""The example of a Job that measures: its clients are those of one run, and its command is one that exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml

from backends import Catalog
from compare.__main__ import _parser
from compare.measure.clients.part import Part
from tests.k8s.conftest import FOLDER, Render
from tests.k8s.objects import Object, get_object
from tests.k8s.pod_checks import pod_security

TEXT = (FOLDER / "examples/measure-job.yaml").read_text()
OBJECTS: list[Object] = list(yaml.safe_load_all(TEXT))


def test_the_clients_share_one_run() -> None:
    job, service = get_object(OBJECTS, "Job", "measure"), get_object(OBJECTS, "Service", "measure")
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    command = re.search(r"python -m compare (.*?)\n\s*status=", container["args"][0], re.S)
    assert command
    count = spec["completions"]
    assert (spec["completionMode"], spec["parallelism"]) == ("Indexed", count)
    for index in range(count):
        text = command[1].replace("\\\n", " ").replace("$JOB_COMPLETION_INDEX", str(index))
        options = _parser().parse_args(shlex.split(text))
        assert Part.parse(options.client) == Part(index, count)
        assert int(options.concurrency) % count == 0
        host, port = options.meet.split(":")
        assert host == f"{job['metadata']['name']}-0.{pod['subdomain']}"
        assert pod["subdomain"] == service["metadata"]["name"]
        assert {int(port)} == {each["port"] for each in service["spec"]["ports"]}
        assert f"cat {options.out}" in container["args"][0]
    assert f"for i in {' '.join(map(str, range(count)))}; do" in TEXT


def test_the_pods_are_restricted_and_may_reach_the_server(render: Render, tmp_path: Path) -> None:
    job = get_object(OBJECTS, "Job", "measure")
    assert list(pod_security([{**job, "kind": "Deployment"}])) == []
    labels = job["spec"]["template"]["metadata"]["labels"]
    for item in OBJECTS:
        if item["kind"] == "Service":
            assert item["spec"]["selector"].items() <= labels.items()
    base = render("base")
    server = get_object(base, "Service", "inference")
    path = tmp_path / "targets.toml"
    path.write_text(get_object(OBJECTS, "ConfigMap", "measure-targets")["data"]["targets.toml"])
    settings = Catalog.load(str(path)).settings("inference")
    assert (settings["service"], settings["port"]) == ("inference", server["spec"]["ports"][0]["port"])
    allowed = get_object(OBJECTS, "NetworkPolicy", "measure-to-inference")["spec"]
    inference = get_object(base, "Deployment", "inference")["spec"]["template"]["metadata"]["labels"]
    assert allowed["podSelector"]["matchLabels"].items() <= inference.items()
    assert allowed["ingress"][0]["from"][0]["podSelector"]["matchLabels"].items() <= labels.items()
    images = {
        image["name"]: image["newTag"]
        for image in yaml.safe_load((FOLDER / "base/kustomization.yaml").read_text())["images"]
    }
    name, tag = job["spec"]["template"]["spec"]["containers"][0]["image"].split(":")
    assert images[name] == tag
