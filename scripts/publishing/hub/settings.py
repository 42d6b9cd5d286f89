"""Reads and applies a Space's settings: hardware, sleep time, variables and secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backends.hub.client import Hub, translate_errors
from backends.hub.errors import HubError
from publishing.errors import PublishError
from publishing.hub.account import refused_hardware

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class SpaceSettings:
    """Settings to apply; `replace` also overwrites secrets that exist. Values of secrets stay in memory."""

    hardware: str | None = None
    sleep_seconds: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    replace: bool = False

    def __bool__(self) -> bool:
        return bool(self.hardware or self.sleep_seconds is not None or self.variables or self.secrets)

    @property
    def lines(self) -> list[str]:
        """The settings as text, without the value of any secret."""
        return [
            *([f"hardware {self.hardware}"] if self.hardware else []),
            *([f"sleep after {self.sleep_seconds} s"] if self.sleep_seconds is not None else []),
            *(f"variable {name}" for name in self.variables),
            *(f"secret {name}" for name in self.secrets),
        ]


NO_SETTINGS = SpaceSettings()


def parse_variables(assignments: Sequence[str]) -> dict[str, str]:
    """Parse variables from NAME=VALUE."""
    variables = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not (equals and _NAME.fullmatch(name)):
            raise PublishError(f"{name!r} isn't an assignment.", "Write NAME=VALUE.")
        variables[name] = value
    return variables


def read_secrets(names: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Read secrets from the environment: other users of the machine can read a command line."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise PublishError(
                "--secret takes the name of a secret, not its value.", "Write --secret NAME, and export NAME."
            )
        if not environment.get(name):
            raise PublishError(f"The secret {name} has no value here.", f"Export {name} in the environment.")
    return {name: environment[name] for name in names}


def changed_settings(
    hub: Hub, repo: str, settings: SpaceSettings, *, hardware: str | None, sleep_seconds: int | None
) -> SpaceSettings:
    """Return the settings that the Space doesn't have yet; sends requests only for those in `settings`."""
    variables, secrets = dict(settings.variables), dict(settings.secrets)
    with translate_errors(f"the settings of {repo}"):
        if variables:
            live = {name: variable.value for name, variable in hub.api.get_space_variables(repo).items()}
            variables = {name: text for name, text in variables.items() if live.get(name) != text}
        if secrets and not settings.replace:
            live_names = hub.api.get_space_secrets(repo)  # the Hub never returns the values
            secrets = {name: text for name, text in secrets.items() if name not in live_names}
    return SpaceSettings(
        settings.hardware if settings.hardware != hardware else None,
        settings.sleep_seconds if settings.sleep_seconds != sleep_seconds else None,
        variables,
        secrets,
        settings.replace,
    )


def apply_settings(hub: Hub, repo: str, settings: SpaceSettings) -> None:
    """Apply the settings; repeating this is harmless, so the next run completes a failed one."""
    if settings.hardware:  # first: if it's refused, nothing has changed
        try:
            with translate_errors(f"the hardware {settings.hardware} of {repo}"):
                hub.api.request_space_hardware(repo, settings.hardware)
        except HubError as error:
            raise refused_hardware(error, settings.hardware) from error
    with translate_errors(f"the settings of {repo}"):
        for name, value in settings.variables.items():
            hub.api.add_space_variable(repo, name, value)
        for name, value in settings.secrets.items():
            hub.api.add_space_secret(repo, name, value)
        if settings.sleep_seconds is not None:
            hub.api.set_space_sleep_time(repo, settings.sleep_seconds)
