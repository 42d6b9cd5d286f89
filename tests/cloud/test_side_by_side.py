"""A comparison of one model in four places: this process, the chat API, SageMaker and Vertex AI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from compare.__main__ import main as compare
from tests.cloud import vertex_front
from tests.cloud.aws_api import AwsApi
from tests.cloud.vertex_front import serving
from tests.inference.servers import Server

TARGETS = "laptop,server,sagemaker,vertex"
pytestmark = pytest.mark.usefixtures("small_heap")


@pytest.fixture
def account(tmp_path: Path, model: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a fake Vertex AI with a service account, and yield its address."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
    with serving(model.url) as url:
        values = {"type": "service_account", "client_email": "a@demo.test", "private_key": pem, "project_id": "demo"}
        file = tmp_path / "account.json"
        file.write_text(json.dumps(values | {"token_uri": f"{url}/token", "private_key_id": "1", "client_id": "1"}))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        yield url


def test_one_model_in_four_places_is_measured_compared_and_priced(
    aws: AwsApi, model: Server, account: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.model = model.url
    catalog, out, json_report = (tmp_path / name for name in ("backends.toml", "run.jsonl", "report.json"))
    endpoint = vertex_front.RESOURCE.rpartition("/")[2]
    catalog.write_text(
        f'[laptop]\nkind = "embedded"\n[server]\nkind = "openai"\nurl = "{model.url}"\nprice = "g2-standard-4"\n'
        f'[sagemaker]\nkind = "sagemaker"\nendpoint = "chat"\nregion = "us-east-1"\nurl = "{aws.url}"\n'
        f'price = "ml.g4dn.xlarge"\n[vertex]\nkind = "vertex"\nendpoint = "{endpoint}"\nurl = "{account}"\n'
        'price = "vertex/us-central1/g2-standard-4"\n'
    )
    run = ["run", "--catalog", str(catalog), "--targets", TARGETS, "--out", str(out), "--requests", "3"]
    assert compare([*run, "--max-tokens", "4", "--progress", "none"]) == 0
    capsys.readouterr()
    pages = ["--json", str(json_report), "--html", str(tmp_path / "report.html"), "--price", "server=0.85/h"]
    assert compare(["report", str(out), *pages]) == 0
    printed = capsys.readouterr().out
    for name in TARGETS.split(","):
        assert name in printed
    report = json.loads(json_report.read_text())
    assert "recommended" in printed or report["verdicts"]
    assert {cost["price"] for cost in _costs(report)} >= {"sagemaker/us-east-1/ml.g4dn.xlarge"}
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert model.metric("requests_total", dialect="sagemaker", status="200") > 0
    assert model.metric("requests_total", dialect="vertex", status="200") > 0


def _costs(value: object) -> Iterator[dict]:
    """Yield every cost in a report."""
    if isinstance(value, dict):
        if "per_1000_requests" in value:
            yield value
        for each in value.values():
            yield from _costs(each)
    elif isinstance(value, list):
        for each in value:
            yield from _costs(each)
