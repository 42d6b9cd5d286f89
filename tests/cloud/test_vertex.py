"""Vertex AI from the first deployment to the last deletion, through its real SDK, over a stand-in that keeps state."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud import aiplatform_v1

from backends import NotConfigured
from cloud.calls import CloudError
from cloud.command import Command
from cloud.vertex import calls
from cloud.vertex.client import Vertex
from cloud.vertex.platform import VertexPlatform
from cloud.vertex.settings import VertexSettings
from tests.cloud.vertex_api import VertexApi
from tests.helpers.servers import serving

HERE = "projects/demo/locations/us-central1"
MODEL, ENDPOINT = f"{HERE}/models/chat", f"{HERE}/endpoints/chat"
TOML = """
project = "demo"
name = "chat"
image = "us-docker.pkg.dev/demo/a/b:1"
accelerator = "NVIDIA_L4"
step_percent = 40
traffic = "linear"
step_seconds = 0
poll_seconds = 0.005
wait_seconds = 5
[env]
HF_TOKEN = "hf_very_secret"
"""
MAKING = ("UploadModel", "CreateEndpoint", "DeployModel", "MergeVersionAliases")
LOOKING = ("GetEndpoint", "ListModelVersions", "GetOperation", "ListOperations")
OPERATIONS = MAKING[:3]
UPDATING = ("UploadModel", "MergeVersionAliases", "DeployModel", "UpdateEndpoint", "UndeployModel")
FOREVER = 10**6

Run = Callable[..., int]


@pytest.fixture
def api() -> Iterator[VertexApi]:
    with serving(VertexApi()) as server:
        yield server


@pytest.fixture
def run(api: VertexApi, tmp_path: Path) -> Run:
    """`deploy_vertex.py` with these arguments, on the stand-in."""
    file = tmp_path / "vertex.toml"
    file.write_text(f'api_endpoint = "{api.url}"\n{TOML}')

    def run(command: str, *arguments: str, **changes: Any) -> int:
        flags = [part for name, value in changes.items() for part in ("--set", f"{name}={value}")]
        return Command(VertexPlatform()).main([command, "--file", str(file), *flags, *arguments])

    return run


def deployed(api: VertexApi) -> dict[str, int]:
    """Percent of the traffic by version."""
    found = api.state.endpoints[ENDPOINT]
    return {each["modelVersionId"]: found["trafficSplit"].get(each["id"], 0) for each in found["deployedModels"]}


def aliases(api: VertexApi) -> dict[str, set[str]]:
    """What each version is marked with, without what only names its settings."""
    ours = {"live", "previous", "updating", "rolling-back"}
    return {number: ours & set(each["versionAliases"]) for number, each in api.state.models[MODEL].items()}


def assert_serving(api: VertexApi, version: str = "1") -> None:
    """One version is deployed, has all the traffic, and is marked as live."""
    assert deployed(api) == {version: 100}
    assert [number for number, marks in aliases(api).items() if "live" in marks] == [version]
    assert not any(marks & {"updating", "rolling-back"} for marks in aliases(api).values())


def test_a_whole_life_from_deploy_to_delete(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status") == 1
    assert run("deploy") == 0
    assert_serving(api)
    assert run("status") == 0
    told = capsys.readouterr().out
    assert "version 1, 100 % of the traffic  0.81 USD/h" in told and "g2-standard-4 NVIDIA_L4" in told

    assert run("autoscale", max_replicas=4, metric="gpu") == 0
    resources = api.state.endpoints[ENDPOINT]["deployedModels"][0]["dedicatedResources"]
    assert (resources["maxReplicaCount"], resources["autoscalingMetricSpecs"][0]["target"]) == (4, 60)

    assert run("update", image="b:2") == 0
    assert_serving(api, "2")
    assert aliases(api) == {"1": {"previous"}, "2": {"live"}}
    shares = [each["endpoint"]["trafficSplit"] for each in api.operations("UpdateEndpoint")]
    assert [sorted(each.values()) for each in shares] == [[40, 60], [20, 80], [100]]

    assert run("rollback") == 0
    assert_serving(api, "1")
    assert aliases(api) == {"1": {"live"}, "2": {"previous"}}
    assert run("rollback") == 0
    assert_serving(api, "2")

    assert run("delete", "--yes") == 0
    assert api.state.empty
    assert "Nothing is left." in capsys.readouterr().out
    assert run("delete", "--yes") == 0


def test_deploying_again_changes_nothing(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("deploy")
    asked = len(api.operations(*MAKING))
    capsys.readouterr()
    assert run("deploy") == 0
    assert len(api.operations(*MAKING)) == asked
    assert capsys.readouterr().out.count("is there") == 4


def test_what_is_sent_is_what_the_plan_says(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("plan", "--json")
    planned = json.loads(capsys.readouterr().out)
    run("deploy")
    sent = [(operation, payload) for operation, payload in api.asked if operation in MAKING]
    for each, (operation, payload) in zip(planned, sent, strict=True):
        kind = getattr(aiplatform_v1, f"{operation}Request")
        known = kind.from_json(json.dumps(payload).replace("hf_very_secret", "<hidden>"))
        assert (each["operation"], kind.from_json(json.dumps(each["payload"]))) == (operation, known)


@pytest.mark.parametrize("status", [403, 429, 500])
@pytest.mark.parametrize("operation", [*MAKING, *LOOKING])
def test_after_a_refused_call_deploy_goes_on_and_delete_leaves_nothing(
    operation: str, status: int, api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    api.fail(operation, status, "Value hf_very_secret is no good.", times=FOREVER)
    ended = run("deploy")
    told = capsys.readouterr()
    if (operation, status) == ("ListOperations", 403):  # who may not look at operations can deploy all the same
        assert ended == 0
    else:
        assert ended == 1
        assert "error:" in told.err and "Traceback" not in told.err and "hf_very_secret" not in told.err
        assert "cloud/deploy_vertex.py deploy" in told.err and "delete" in told.err
    api.faults.clear()
    assert run("deploy") == 0
    assert_serving(api)
    assert len(api.state.models[MODEL]) == len(api.state.endpoints) == 1
    assert run("delete", "--yes") == 0
    assert api.state.empty


@pytest.mark.parametrize("operation", OPERATIONS)
def test_after_an_operation_that_ended_badly_deploy_goes_on(
    operation: str, api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    api.state.end_badly(operation, 8, "No L4 is left in us-central1.")
    assert run("deploy") == 1
    told = capsys.readouterr().err
    assert "No L4 is left" in told and "quota" in told and "Go on: python" in told
    assert run("deploy") == 0
    assert_serving(api)
    assert run("delete", "--yes") == 0
    assert api.state.empty


@pytest.mark.parametrize("operation", MAKING)
def test_a_call_whose_answer_is_lost_is_not_made_twice(operation: str, api: VertexApi, run: Run) -> None:
    api.fail(operation, 503, "The connection broke.", late=True)
    assert run("deploy") == 1
    assert run("deploy") == 0
    assert_serving(api)
    assert len(api.operations(operation)) == 1
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_status_shows_what_is_under_way(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    api.state.looks = FOREVER
    assert run("deploy", wait_seconds=0.02) == 1
    assert run("status") == 0
    assert "operation" in capsys.readouterr().out


@pytest.mark.parametrize("operation", [*MAKING, "GetOperation"])
def test_a_half_done_deployment_is_deleted_without_a_rest(operation: str, api: VertexApi, run: Run) -> None:
    api.fail(operation, 500, times=FOREVER)
    assert run("deploy") == 1
    api.faults.clear()
    assert run("delete", "--yes") == 0
    api.state.end_all()
    assert api.state.empty


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_that_outlasts_the_command_is_joined_by_the_next(
    operation: str, api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    done = OPERATIONS.index(operation)
    api.fail(OPERATIONS[done], 500)
    assert run("deploy") == 1  # so that all before it is there
    api.state.looks = FOREVER
    assert run("deploy", wait_seconds=0.05) == 1
    assert "is still running after" in capsys.readouterr().err
    api.state.looks = 1
    for running in api.state.running.values():
        running.looks = min(running.looks, 3)
    assert run("deploy") == 0
    assert_serving(api)
    assert len(api.operations(operation)) == 2  # the refused one, and the one that was joined
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_deploy_waits_through_a_stumble_of_the_service(api: VertexApi, run: Run) -> None:
    for operation in LOOKING:
        api.fail(operation, 503, times=1)
    assert run("deploy", poll_seconds=0.1) == 0
    assert_serving(api)


def test_deploy_does_not_touch_other_settings_that_are_in_service(
    api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    assert run("deploy", image="b:2") == 1
    assert "Run update" in capsys.readouterr().err
    assert_serving(api)
    assert len(api.state.models[MODEL]) == 1


def test_settings_that_are_corrected_after_a_failure_become_the_next_version(api: VertexApi, run: Run) -> None:
    api.state.end_badly("DeployModel", 8, "No quota.")
    assert run("deploy") == 1
    assert run("deploy", machine_type="g2-standard-8") == 0
    assert_serving(api, "2")
    assert run("delete", "--yes") == 0
    assert api.state.empty


@pytest.mark.parametrize("traffic", ["all", "canary", "linear"])
def test_an_update_never_leaves_requests_without_an_answer(traffic: str, api: VertexApi, run: Run) -> None:
    run("deploy")
    assert run("update", image="b:2", traffic=traffic) == 0
    new = api.operations("DeployModel")[1]
    assert new["trafficSplit"]["0"] == 0 and sum(new["trafficSplit"].values()) == 100
    assert {sum(each["endpoint"]["trafficSplit"].values()) for each in api.operations("UpdateEndpoint")} == {100}
    assert_serving(api, "2")


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("operation", UPDATING)
def test_an_update_that_fails_keeps_a_whole_version_in_service_and_can_be_run_again(
    operation: str, after: int, api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    api.fail(operation, 500, times=1, after=after)
    ended = run("update", image="b:2")
    told = capsys.readouterr().err
    assert ended == 0 or "Then run update again." in told
    assert "Traceback" not in told
    assert 100 in deployed(api).values()
    api.faults.clear()  # some calls are made once only
    assert run("update", image="b:2") == 0
    assert_serving(api, "2")
    assert run("rollback") == 0
    assert_serving(api, "1")
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_a_new_version_that_does_not_start_is_taken_away_again(
    api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    api.state.end_badly("DeployModel", 13, "Model server never became ready. Token: hf_very_secret.")
    assert run("update", image="b:2") == 1
    told = capsys.readouterr().err
    assert "never became ready" in told and "The old version has all the traffic." in told
    assert "hf_very_secret" not in told and "log" in told
    assert_serving(api)


def test_a_new_version_whose_replicas_fail_loses_its_traffic(
    api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    api.state.sick.add("2")
    assert run("update", image="b:2") == 1
    assert "no replica that works: “CrashLoop”" in capsys.readouterr().err
    assert_serving(api)


@pytest.mark.parametrize("operation", ["UpdateEndpoint", "UndeployModel"])
def test_a_half_done_update_can_be_rolled_back(operation: str, api: VertexApi, run: Run) -> None:
    run("deploy")
    api.fail(operation, 500, times=FOREVER, after=1 if operation == "UpdateEndpoint" else 0)
    assert run("update", image="b:2") == 1
    assert len(deployed(api)) == 2
    api.faults.clear()
    assert run("rollback") == 0
    assert_serving(api, "1")


@pytest.mark.parametrize("after", range(5))
@pytest.mark.parametrize("operation", ["MergeVersionAliases", "DeployModel", "UpdateEndpoint", "UndeployModel"])
def test_a_rollback_that_failed_ends_at_the_same_version_when_it_is_run_again(
    operation: str, after: int, api: VertexApi, run: Run
) -> None:
    run("deploy")
    run("update", image="b:2")
    api.fail(operation, 500, times=1, after=after)
    if run("rollback") == 0:
        return assert_serving(api, "1")  # it makes fewer such calls
    assert run("rollback") == 0
    assert_serving(api, "1")
    return None


def test_a_rollback_uses_the_machine_that_the_version_had(api: VertexApi, run: Run) -> None:
    run("deploy")
    run("update", machine_type="g2-standard-8")
    assert run("rollback", machine_type="g2-standard-8") == 0
    machine = api.state.endpoints[ENDPOINT]["deployedModels"][0]["dedicatedResources"]["machineSpec"]
    assert machine["machineType"] == "g2-standard-4"


def test_there_is_nothing_to_update_scale_or_roll_back_before_a_deployment(
    api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("update", "rollback", "autoscale"):
        assert run(command) == 1
        assert "Run deploy first" in capsys.readouterr().err
    run("deploy")
    assert run("rollback") == 1
    assert "no version before" in capsys.readouterr().err
    assert api.operations("UpdateEndpoint") == []


@pytest.mark.parametrize("operation", ["MutateDeployedModel", "GetOperation"])
def test_autoscale_can_be_run_again_after_a_failure(operation: str, api: VertexApi, run: Run) -> None:
    run("deploy", max_replicas=2, metric="gpu")
    api.fail(operation, 500, times=FOREVER)
    assert run("autoscale", max_replicas=3) == 1
    api.faults.clear()
    assert run("autoscale", max_replicas=3) == 0
    resources = api.state.endpoints[ENDPOINT]["deployedModels"][0]["dedicatedResources"]
    assert resources["maxReplicaCount"] == 3 and "autoscalingMetricSpecs" not in resources


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize("operation", ["UndeployModel", "DeleteEndpoint", "DeleteModel", "GetOperation"])
def test_delete_goes_on_after_a_failure(operation: str, status: int, api: VertexApi, run: Run) -> None:
    run("deploy")
    run("update", image="b:2")
    api.fail(operation, status, times=FOREVER)
    assert run("delete", "--yes") == 1
    api.faults.clear()
    assert run("delete", "--yes") == 0
    assert api.state.empty


@pytest.mark.parametrize("operation", ["UndeployModel", "DeleteEndpoint", "DeleteModel"])
def test_delete_goes_on_after_an_operation_that_ended_badly(operation: str, api: VertexApi, run: Run) -> None:
    run("deploy")
    api.state.end_badly(operation, 13, "Internal error.")
    assert run("delete", "--yes") == 1
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_delete_takes_both_versions_of_a_half_done_update(api: VertexApi, run: Run) -> None:
    run("deploy")
    api.fail("UpdateEndpoint", 500, times=FOREVER, after=1)
    run("update", image="b:2")
    assert sorted(deployed(api).values()) == [40, 60]
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_an_address_where_nothing_answers_is_told_in_words(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", api_endpoint="http://127.0.0.1:9") == 1
    told = capsys.readouterr().err
    assert "cannot be reached" in told and "Traceback" not in told


def test_a_service_that_says_nothing_is_given_up(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert run("status", api_endpoint=address, call_seconds=0.1) == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_without_credentials_the_remedy_says_how_to_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(NotConfigured) as raised:
        Vertex(VertexSettings(project="demo", image="i")).endpoint()
    assert "gcloud auth application-default login" in raised.value.remedy


def test_an_interrupted_update_says_how_to_go_on(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    import _thread

    run("deploy")
    api.state.looks = FOREVER
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    assert run("update", traffic="canary", machine_type="g2-standard-8", wait_seconds=30) == 130
    timer.join()
    assert "Go on: run update again." in capsys.readouterr().out
    api.state.looks = 1
    api.state.end_all()
    assert run("update", traffic="canary", machine_type="g2-standard-8") == 0
    assert_serving(api, "2")


@pytest.fixture
def account(api: VertexApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service account whose tokens the stand-in gives out."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
    told = {"type": "service_account", "client_email": "a@demo.test", "private_key": pem, "project_id": "demo"}
    file = tmp_path / "account.json"
    file.write_text(json.dumps(told | {"token_uri": f"{api.url}/token", "private_key_id": "1", "client_id": "1"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


def test_a_question_reaches_the_version_in_service(
    api: VertexApi, run: Run, account: None, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    run("update", image="b:2")
    assert run("test", "Which version are you?") == 0
    assert "Version 2." in capsys.readouterr().out


def test_the_client_for_google_itself_speaks_grpc_and_sends_nothing_before_it_is_asked(account: None) -> None:
    vertex = Vertex(VertexSettings(project="demo", image="i", location="europe-west4"))
    client = vertex._client("ModelService")
    assert client.transport.kind == "grpc" and client.transport.host.startswith(
        "europe-west4-aiplatform.googleapis.com"
    )
    client.transport.close()


def test_a_request_that_the_api_would_not_know_is_refused_before_it_is_sent(api: VertexApi) -> None:
    settings = VertexSettings(project="demo", image="i", accelerator="L4", api_endpoint=api.url)
    with pytest.raises(CloudError, match="not as the API wants it"):
        Vertex(settings).send(calls.deploy(settings))
    assert api.asked == []
