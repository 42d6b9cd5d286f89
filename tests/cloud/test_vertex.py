"""The commands of a Vertex AI deployment through the real SDK, against a fake API with state and faults."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backends import NotConfigured
from cloud.calls import CloudError
from cloud.command import Command
from cloud.vertex import calls
from cloud.vertex.client import VertexClient
from cloud.vertex.platform import VertexPlatform
from cloud.vertex.settings import VertexSettings
from compare import deployment
from tests.cloud.vertex_api import VertexApi, parse_request
from tests.helpers.servers import serving, wait_until

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
CREATING = ("UploadModel", "CreateEndpoint", "DeployModel", "MergeVersionAliases")
READING = ("GetEndpoint", "ListModelVersions", "GetOperation", "ListOperations")
OPERATIONS = CREATING[:3]
UPDATING = ("UploadModel", "MergeVersionAliases", "DeployModel", "UpdateEndpoint", "UndeployModel")
MANY = 10**6

Run = Callable[..., int]


@pytest.fixture
def api() -> Iterator[VertexApi]:
    with serving(VertexApi()) as server:
        yield server


@pytest.fixture
def run(api: VertexApi, tmp_path: Path) -> Run:
    """Run `deploy_vertex.py` with these arguments against the fake API."""
    file = tmp_path / "vertex.toml"
    file.write_text(f'api_endpoint = "{api.url}"\n{TOML}')

    def run(command: str, *arguments: str, **changes: Any) -> int:
        flags = [part for name, value in changes.items() for part in ("--set", f"{name}={value}")]
        return Command(VertexPlatform(), deployment).main([command, "--file", str(file), *flags, *arguments])

    return run


def deployed(api: VertexApi) -> dict[str, int]:
    """Return the percentage of the traffic by version."""
    endpoint = api.state.endpoints[ENDPOINT]
    return {each["modelVersionId"]: endpoint["trafficSplit"].get(each["id"], 0) for each in endpoint["deployedModels"]}


def aliases(api: VertexApi) -> dict[str, set[str]]:
    """Return the aliases of each version, without the alias of its settings."""
    aliases = {"live", "previous", "updating", "rolling-back"}
    return {number: aliases & set(each["versionAliases"]) for number, each in api.state.models[MODEL].items()}


def assert_serving(api: VertexApi, version: str = "1") -> None:
    """Assert that one version is deployed, has all the traffic and the alias live."""
    assert deployed(api) == {version: 100}
    assert [number for number, marks in aliases(api).items() if "live" in marks] == [version]
    assert not any(marks & {"updating", "rolling-back"} for marks in aliases(api).values())


def test_a_deployment_from_deploy_to_delete(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status") == 1
    assert run("deploy") == 0
    assert_serving(api)
    assert run("status") == 0
    output = capsys.readouterr().out
    assert "version 1, 100 % of the traffic  0.81 USD/h" in output and "g2-standard-4 NVIDIA_L4" in output

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
    count = len(api.operations(*CREATING))
    capsys.readouterr()
    assert run("deploy") == 0
    assert len(api.operations(*CREATING)) == count
    assert capsys.readouterr().out.count("exists already") == 4


def test_deploy_sends_the_calls_of_the_plan(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("plan", "--json")
    plan = json.loads(capsys.readouterr().out)
    run("deploy")
    requests = [(operation, payload) for operation, payload in api.requests if operation in CREATING]
    for call, (operation, payload) in zip(plan, requests, strict=True):
        hidden = json.loads(json.dumps(payload).replace("hf_very_secret", "<hidden>"))
        assert call["operation"] == operation
        assert parse_request(operation, call["payload"]) == parse_request(operation, hidden)


@pytest.mark.parametrize("status", [403, 429, 500])
@pytest.mark.parametrize("operation", [*CREATING, *READING])
def test_a_refused_call_can_be_resumed_and_cleaned_up(
    operation: str, status: int, api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    api.fail(operation, status, "Value hf_very_secret is no good.", times=MANY)
    exit_status = run("deploy")
    output = capsys.readouterr()
    if (operation, status) == ("ListOperations", 403):  # deploying doesn't need this permission
        assert exit_status == 0
    else:
        assert exit_status == 1
        assert "error:" in output.err and "Traceback" not in output.err and "hf_very_secret" not in output.err
        assert "cloud/deploy_vertex.py deploy" in output.err and "delete" in output.err
    api.faults.clear()
    assert run("deploy") == 0
    assert_serving(api)
    assert len(api.state.models[MODEL]) == len(api.state.endpoints) == 1
    assert run("delete", "--yes") == 0
    assert api.state.empty


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failed_operation_can_be_resumed(
    operation: str, api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    api.state.fail_operation(operation, 8, "No L4 is left in us-central1.")
    assert run("deploy") == 1
    errors = capsys.readouterr().err
    assert "No L4 is left" in errors and "quota" in errors and "Resume: python" in errors
    assert run("deploy") == 0
    assert_serving(api)
    assert run("delete", "--yes") == 0
    assert api.state.empty


@pytest.mark.parametrize("operation", CREATING)
def test_a_call_whose_response_is_lost_is_not_repeated(operation: str, api: VertexApi, run: Run) -> None:
    api.fail(operation, 503, "The connection broke.", late=True)
    assert run("deploy") == 1
    assert run("deploy") == 0
    assert_serving(api)
    assert len(api.operations(operation)) == 1
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_status_shows_running_operations(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    api.state.polls = MANY
    assert run("deploy", wait_seconds=0.02) == 1
    assert run("status") == 0
    assert "operation" in capsys.readouterr().out


@pytest.mark.parametrize("operation", [*CREATING, "GetOperation"])
def test_an_unfinished_deployment_is_deleted_completely(operation: str, api: VertexApi, run: Run) -> None:
    api.fail(operation, 500, times=MANY)
    assert run("deploy") == 1
    api.faults.clear()
    assert run("delete", "--yes") == 0
    api.state.finish_operations()
    assert api.state.empty


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_next_command_joins_a_running_operation(
    operation: str, api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    api.fail(operation, 500)
    assert run("deploy") == 1  # so that everything before it exists
    api.state.polls = MANY
    assert run("deploy", wait_seconds=0.05) == 1
    assert "is still running after" in capsys.readouterr().err
    api.state.polls = 1
    for running in api.state.running.values():
        running.polls = min(running.polls, 3)
    assert run("deploy") == 0
    assert_serving(api)
    assert len(api.operations(operation)) == 2  # the refused one and the running one
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_deploy_retries_failed_reads(api: VertexApi, run: Run) -> None:
    for operation in READING:
        api.fail(operation, 503, times=1)
    assert run("deploy", poll_seconds=0.1) == 0
    assert_serving(api)


def test_deploy_does_not_replace_other_settings_in_service(
    api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    assert run("deploy", image="b:2") == 1
    assert "Run update" in capsys.readouterr().err
    assert_serving(api)
    assert len(api.state.models[MODEL]) == 1


def test_corrected_settings_become_the_next_version(api: VertexApi, run: Run) -> None:
    api.state.fail_operation("DeployModel", 8, "No quota.")
    assert run("deploy") == 1
    assert run("deploy", machine_type="g2-standard-8") == 0
    assert_serving(api, "2")
    assert run("delete", "--yes") == 0
    assert api.state.empty


@pytest.mark.parametrize("traffic", ["all", "canary", "linear"])
def test_an_update_always_routes_all_the_traffic(traffic: str, api: VertexApi, run: Run) -> None:
    run("deploy")
    assert run("update", image="b:2", traffic=traffic) == 0
    new = api.operations("DeployModel")[1]
    assert new["trafficSplit"]["0"] == 0 and sum(new["trafficSplit"].values()) == 100
    assert {sum(each["endpoint"]["trafficSplit"].values()) for each in api.operations("UpdateEndpoint")} == {100}
    assert_serving(api, "2")


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("operation", UPDATING)
def test_a_failed_update_keeps_a_version_in_service_and_can_be_repeated(
    operation: str, after: int, api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    api.fail(operation, 500, times=1, after=after)
    exit_status = run("update", image="b:2")
    errors = capsys.readouterr().err
    assert exit_status == 0 or "Then run update again." in errors
    assert "Traceback" not in errors
    assert 100 in deployed(api).values()
    api.faults.clear()  # some calls are only made once
    assert run("update", image="b:2") == 0
    assert_serving(api, "2")
    assert run("rollback") == 0
    assert_serving(api, "1")
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_a_new_version_that_does_not_start_is_undeployed(
    api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    api.state.fail_operation("DeployModel", 13, "Model server never became ready. Token: hf_very_secret.")
    assert run("update", image="b:2") == 1
    errors = capsys.readouterr().err
    assert "never became ready" in errors and "The old version has all the traffic." in errors
    assert "hf_very_secret" not in errors and "log" in errors
    assert_serving(api)


def test_a_new_version_with_failing_replicas_loses_its_traffic(
    api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    api.state.broken.add("2")
    assert run("update", image="b:2") == 1
    assert "no replica that works: “CrashLoop”" in capsys.readouterr().err
    assert_serving(api)


@pytest.mark.parametrize("operation", ["UpdateEndpoint", "UndeployModel"])
def test_an_unfinished_update_can_be_rolled_back(operation: str, api: VertexApi, run: Run) -> None:
    run("deploy")
    api.fail(operation, 500, times=MANY, after=1 if operation == "UpdateEndpoint" else 0)
    assert run("update", image="b:2") == 1
    assert len(deployed(api)) == 2
    api.faults.clear()
    assert run("rollback") == 0
    assert_serving(api, "1")


@pytest.mark.parametrize("after", range(5))
@pytest.mark.parametrize("operation", ["MergeVersionAliases", "DeployModel", "UpdateEndpoint", "UndeployModel"])
def test_a_failed_rollback_can_be_repeated(operation: str, after: int, api: VertexApi, run: Run) -> None:
    run("deploy")
    run("update", image="b:2")
    api.fail(operation, 500, times=1, after=after)
    if run("rollback") == 0:
        return assert_serving(api, "1")  # it makes fewer of these calls
    assert run("rollback") == 0
    assert_serving(api, "1")
    return None


def test_a_rollback_uses_the_machine_of_the_version(api: VertexApi, run: Run) -> None:
    run("deploy")
    run("update", machine_type="g2-standard-8")
    assert run("rollback", machine_type="g2-standard-8") == 0
    machine = api.state.endpoints[ENDPOINT]["deployedModels"][0]["dedicatedResources"]["machineSpec"]
    assert machine["machineType"] == "g2-standard-4"


def test_update_rollback_and_autoscale_need_a_deployment(
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
def test_autoscale_can_be_repeated_after_a_failure(operation: str, api: VertexApi, run: Run) -> None:
    run("deploy", max_replicas=2, metric="gpu")
    api.fail(operation, 500, times=MANY)
    assert run("autoscale", max_replicas=3) == 1
    api.faults.clear()
    assert run("autoscale", max_replicas=3) == 0
    resources = api.state.endpoints[ENDPOINT]["deployedModels"][0]["dedicatedResources"]
    assert resources["maxReplicaCount"] == 3 and "autoscalingMetricSpecs" not in resources


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize("operation", ["UndeployModel", "DeleteEndpoint", "DeleteModel", "GetOperation"])
def test_delete_can_be_repeated_after_a_failure(operation: str, status: int, api: VertexApi, run: Run) -> None:
    run("deploy")
    run("update", image="b:2")
    api.fail(operation, status, times=MANY)
    assert run("delete", "--yes") == 1
    api.faults.clear()
    assert run("delete", "--yes") == 0
    assert api.state.empty


@pytest.mark.parametrize("operation", ["UndeployModel", "DeleteEndpoint", "DeleteModel"])
def test_delete_can_be_repeated_after_a_failed_operation(operation: str, api: VertexApi, run: Run) -> None:
    run("deploy")
    api.state.fail_operation(operation, 13, "Internal error.")
    assert run("delete", "--yes") == 1
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_delete_removes_both_versions_of_an_unfinished_update(api: VertexApi, run: Run) -> None:
    run("deploy")
    api.fail("UpdateEndpoint", 500, times=MANY, after=1)
    run("update", image="b:2")
    assert sorted(deployed(api).values()) == [40, 60]
    assert run("delete", "--yes") == 0
    assert api.state.empty


def test_a_wrong_address_is_an_error_in_plain_words(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", api_endpoint="http://127.0.0.1:9") == 1
    errors = capsys.readouterr().err
    assert "can't be reached" in errors and "Traceback" not in errors


def test_a_silent_service_times_out(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert run("status", api_endpoint=address, call_seconds=0.1) == 1
    assert "can't be reached" in capsys.readouterr().err


def test_missing_credentials_have_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(NotConfigured) as raised:
        VertexClient(VertexSettings(project="demo", image="i")).endpoint()
    assert "gcloud auth application-default login" in raised.value.remedy


def test_an_interrupted_update_says_how_to_resume(api: VertexApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    import _thread

    run("deploy")
    api.state.polls = MANY

    def interrupt_while_it_waits() -> None:
        wait_until(lambda: any(MANY - 1000 < each.polls < MANY for each in [*api.state.running.values()]))
        time.sleep(0.2)  # the answer is read, and the command sleeps until it asks again
        _thread.interrupt_main()

    # A shell starts background jobs with SIGINT ignored; then an interruption would do nothing.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ThreadPoolExecutor(1) as thread:
            interruption = thread.submit(interrupt_while_it_waits)
            assert run("update", traffic="canary", machine_type="g2-standard-8", wait_seconds=30) == 130
            interruption.result()
    finally:
        signal.signal(signal.SIGINT, handler)
    assert "Resume: run update again." in capsys.readouterr().out
    api.state.polls = 1
    api.state.finish_operations()
    assert run("update", traffic="canary", machine_type="g2-standard-8") == 0
    assert_serving(api, "2")


@pytest.fixture
def account(api: VertexApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a service account for which the fake API issues tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
    values = {"type": "service_account", "client_email": "a@demo.test", "private_key": pem, "project_id": "demo"}
    file = tmp_path / "account.json"
    file.write_text(json.dumps(values | {"token_uri": f"{api.url}/token", "private_key_id": "1", "client_id": "1"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


def test_a_question_reaches_the_version_in_service(
    api: VertexApi, run: Run, account: None, capsys: pytest.CaptureFixture[str]
) -> None:
    run("deploy")
    run("update", image="b:2")
    assert run("test", "Which version are you?") == 0
    assert "Version 2." in capsys.readouterr().out


def test_the_client_for_google_uses_grpc_and_sends_nothing_at_first(account: None) -> None:
    client = VertexClient(VertexSettings(project="demo", image="i", location="europe-west4"))
    service = client._client("ModelService")
    assert service.transport.kind == "grpc" and service.transport.host.startswith(
        "europe-west4-aiplatform.googleapis.com"
    )
    service.transport.close()


def test_an_invalid_request_is_not_sent(api: VertexApi) -> None:
    settings = VertexSettings(project="demo", image="i", accelerator="L4", api_endpoint=api.url)
    with pytest.raises(CloudError, match="the request is invalid"):
        VertexClient(settings).send(calls.deploy(settings))
    assert api.requests == []
