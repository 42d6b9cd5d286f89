from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud.command import Command
from cloud.sagemaker.platform import SageMakerPlatform
from compare import deployment
from tests.cloud.aws_api import AwsApi, serving
from tests.inference.servers import Server, model_file, run_server

ROLE = "arn:aws:iam::123456789012:role/spaceport"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/spaceport-inference:1"
TOML = f'name = "chat"\nrole = "{ROLE}"\nimage = "{IMAGE}"\ninstance_type = "ml.g4dn.xlarge"\n'


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set an AWS identity in the environment, and ignore the machine's own."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")  # so that monkeypatch restores it
        monkeypatch.delenv(name)
    values = {"ACCESS_KEY_ID": "AKIDEXAMPLE", "SECRET_ACCESS_KEY": "secret", "EC2_METADATA_DISABLED": "true"}
    values |= {"CONFIG_FILE": str(tmp_path / "none"), "SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    values["MAX_ATTEMPTS"] = "1"  # no retries: one fault fails one call
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture(scope="package")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The inference server with a real model."""
    model_file()
    with run_server(tmp_path_factory.mktemp("server"), SPACEPORT_PARALLEL=2) as server:
        yield server


@pytest.fixture(scope="package")
def aws_server() -> Iterator[AwsApi]:
    with serving() as api:
        yield api


@pytest.fixture
def aws(identity: None, aws_server: AwsApi) -> AwsApi:
    """AWS without any resources."""
    aws_server.reset()
    return aws_server


@pytest.fixture
def run(aws: AwsApi, tmp_path: Path) -> Callable[..., int]:
    """Run `deploy_sagemaker.py` with these arguments against the fake AWS."""
    file = tmp_path / "sagemaker.toml"
    file.write_text(TOML)

    def command(name: str, /, *arguments: str, **settings: object) -> int:
        values = {"url": aws.url, "poll_seconds": 0.005, **settings}
        flags = [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
        return Command(SageMakerPlatform(), deployment).main([name, "--file", str(file), *flags, *arguments])

    return command
