"""Moves the traffic of an endpoint from one version to another, and back if that fails."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

from backends import SpaceportError
from cloud.calls import CloudError, ReportLine
from cloud.vertex import aliases, calls
from cloud.vertex.aliases import with_alias
from cloud.vertex.client import VertexClient, deployed_models


def update(client: VertexClient, report: ReportLine) -> None:
    """Deploy the version of the settings; register it first if it is new."""
    settings = client.settings
    for resource in (settings.model, settings.endpoint):
        client.wait_for_earlier(resource, report)
    if not deployed_models(client.endpoint()):
        raise CloudError("No model is deployed, so there is nothing to update.", "Run deploy first.")
    with _resumable("update", report):
        if with_alias(client.versions(), calls.version_alias(settings)) is None:
            client.run(calls.upload(settings, next_version=True), report)
        version = with_alias(client.versions(), calls.version_alias(settings))
        if version is None:
            raise CloudError("The registry doesn't list the uploaded version.")
        promote(client, version, aliases.UPDATING, report)


def rollback(client: VertexClient, report: ReportLine) -> None:
    """Return to the live version if an update is unfinished, else to the previous version."""
    client.wait_for_earlier(client.settings.endpoint, report)
    versions = client.versions()
    if not deployed_models(client.endpoint()):
        raise CloudError("No model is deployed, so there is nothing to roll back.", "Run deploy first.")
    target = with_alias(versions, aliases.ROLLING_BACK)  # an interrupted rollback
    if target is None and with_alias(versions, aliases.UPDATING):
        target = with_alias(versions, calls.LIVE)
    target = target or with_alias(versions, calls.PREVIOUS)
    if target is None:
        raise CloudError("There is no version before this one.", "Change the settings and run update.")
    with _resumable("rollback", report):
        promote(client, target, aliases.ROLLING_BACK, report)


def promote(client: VertexClient, version: Any, intent: str, report: ReportLine) -> None:
    """Deploy the version next to the others, move the traffic to it, then undeploy the others."""
    models = [model for model, _ in deployed_models(client.endpoint())]
    others = [model for model in models if model.model_version_id != version.version_id]
    _move_traffic(client, version, intent, others[0].id if others else None, report)
    for model in others:
        client.run(calls.undeploy(client.settings, model.id), report)
    aliases.mark_live(client, version, report)
    report(f"Version {version.version_id} is in service.")


@contextlib.contextmanager
def _resumable(command: str, report: ReportLine) -> Iterator[None]:
    """Add to an interruption or error how to resume."""
    try:
        yield
    except KeyboardInterrupt:
        report(f"Stopped. Resume: run {command} again. To return to the live version: run rollback.")
        raise
    except SpaceportError as error:
        raise CloudError(error.message, f"{error.remedy} Then run {command} again.".strip()) from error


def _move_traffic(client: VertexClient, version: Any, intent: str, old: str | None, report: ReportLine) -> None:
    """Move the traffic to the version; if that fails, back to the model `old`, which had most of it."""
    try:
        aliases.mark_in_progress(client, version, intent, report)
        new = _deploy_without_traffic(client, version, report)
        # A rollback replaces a version that fails: with several steps, more requests would fail.
        percents = client.settings.shares if intent == aliases.UPDATING else (100,)
        _shift_in_steps(client, new.id, old, percents, report)
    except SpaceportError as error:
        if old is None or calls.LIVE in version.version_aliases:  # an unfinished update isn't a version to return to
            raise
        report(f"  That failed: {error.message}")
        try:
            _return_traffic(client, version, old, report)
            aliases.clear_in_progress(client, version, intent, report)
        except SpaceportError as second:
            message = f"{error.message} Returning the traffic failed too: {second.message}"
            raise CloudError(message, f"{second.remedy} To see which version serves: run status.") from second
        raise CloudError(f"{error.message} The old version has all the traffic.", error.remedy) from error


def _deploy_without_traffic(client: VertexClient, version: Any, report: ReportLine) -> Any:
    """Return the version's deployed model; deploy it without traffic if there is none."""
    if model := _deployed_model(client, version):
        return model
    percents = {model.id: percent for model, percent in deployed_models(client.endpoint()) if percent}
    split = percents | {calls.NEW_MODEL: 0} if percents else None
    client.run(calls.deploy(client.settings, version.version_id, _machine(version), split), report)
    if model := _deployed_model(client, version):
        return model
    raise CloudError("DeployModel succeeded, but the endpoint doesn't list the new version.", "Run status.")


def _shift_in_steps(
    client: VertexClient, new: str, old: str | None, percents: tuple[int, ...], report: ReportLine
) -> None:
    """Increase the traffic of the new model step by step, and check its replicas after each step."""
    current = dict(client.endpoint().traffic_split).get(new, 0)
    for percent in [each for each in percents if each > current]:
        if old is None and percent < 100:
            continue  # no other model could answer the rest
        rest = {old: 100 - percent} if old and percent < 100 else {}
        purpose = f"{percent} % of the traffic to the new version"
        client.run(calls.split_traffic(client.settings, {new: percent} | rest, purpose), report)
        if percent < 100:
            time.sleep(client.settings.step_seconds)
        _check_replicas(client, new)


def _check_replicas(client: VertexClient, new: str) -> None:
    """Raise an error if Vertex AI reports that no replica works; it doesn't always report a status."""
    for model, _ in deployed_models(client.endpoint()):
        if model.id == new and "status" in model and not model.status.available_replica_count:
            quote = f": “{model.status.message}”" if model.status.message else ""
            raise CloudError(f"The new version has no replica that works{quote}.", "Check its container's log.")


def _return_traffic(client: VertexClient, version: Any, old: str, report: ReportLine) -> None:
    client.wait_for_earlier(client.settings.endpoint, report)
    if dict(client.endpoint().traffic_split).get(old) != 100:
        purpose = "All the traffic back to the old version"
        client.run(calls.split_traffic(client.settings, {old: 100}, purpose), report)
    if model := _deployed_model(client, version):
        client.run(calls.undeploy(client.settings, model.id), report)


def _deployed_model(client: VertexClient, version: Any) -> Any:
    models = [model for model, _ in deployed_models(client.endpoint())]
    return next((model for model in models if model.model_version_id == version.version_id), None)


def _machine(version: Any) -> dict[str, Any] | None:
    """Return the machine of the version from its description; None (the settings' machine) if that was edited."""
    try:
        values = json.loads(version.version_description)
        return values if "machineSpec" in values else None
    except (ValueError, TypeError):
        return None
