"""The overlay with replicas of the chat page: one volume for all, and a Redis that nothing else reaches."""

from __future__ import annotations

import pytest

from tests.k8s.conftest import Render
from tests.k8s.network_checks import GATEWAY, is_allowed, peer
from tests.k8s.objects import Object, environment, get_workload


@pytest.fixture
def overlay(render: Render) -> list[Object]:
    return render("overlays/replicas")


def test_all_replicas_have_one_volume_and_one_redis(overlay: list[Object]) -> None:
    chat = get_workload(overlay, "chat")
    variables = environment(overlay, chat.main)
    assert variables["SPACEPORT_REDIS_URL"] == "redis://redis:6379"
    assert "SPACEPORT_REDIS_URL" not in environment(overlay, get_workload(overlay, "compare").main)
    mounts = {mount["mountPath"]: mount["name"] for mount in chat.main["volumeMounts"]}
    (volume,) = (each for each in chat.pod["volumes"] if each["name"] == mounts[variables["SPACEPORT_DATA"]])
    assert volume == {"name": "data", "persistentVolumeClaim": {"claimName": "chat-data"}}
    (claim,) = (each for each in overlay if each["kind"] == "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert int(variables["SPACEPORT_ALL_DATA_MB"]) < 10 * 1024
    scalers = {each["metadata"]["name"]: each["spec"] for each in overlay if each["kind"] == "HorizontalPodAutoscaler"}
    assert scalers["chat"]["minReplicas"] == 2


def test_only_chat_reaches_redis(overlay: list[Object]) -> None:
    redis = peer(get_workload(overlay, "redis"))
    reach = [
        name
        for name in ("chat", "compare", "inference", "chroma")
        if is_allowed(overlay, peer(get_workload(overlay, name)), redis, 6379)
    ]
    assert reach == ["chat"]
    assert not is_allowed(overlay, GATEWAY, redis, 6379)
