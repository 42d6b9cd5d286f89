"""What a Space has besides its files: hardware, sleep time, variables and secrets. Values of secrets stay in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from publishing.errors import PublishError
from publishing.hub import Hub, translated

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that are wanted, or those of them that differ; `replace` sets secrets anew that are there already."""

    hardware: str | None = None
    sleep_seconds: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    replace: bool = False

    def __bool__(self) -> bool:
        return bool(self.hardware or self.sleep_seconds is not None or self.variables or self.secrets)

    @property
    def lines(self) -> list[str]:
        """What would be set, without any secret's value."""
        return [
            *([f"hardware {self.hardware}"] if self.hardware else []),
            *([f"sleep after {self.sleep_seconds} s"] if self.sleep_seconds is not None else []),
            *(f"variable {name}" for name in self.variables),
            *(f"secret {name}" for name in self.secrets),
        ]


NONE = Settings()


def named(
    variables: Sequence[str], secrets: Sequence[str], environment: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Variables from NAME=VALUE, secrets from the environment: on a command line others could read them."""
    found: dict[str, dict[str, str]] = {"variables": {}, "secrets": {}}
    for text in variables:
        name, equals, value = text.partition("=")
        if not (equals and _NAME.fullmatch(name)):
            raise PublishError(f"{name!r} sets no variable.", "Write NAME=VALUE.")
        found["variables"][name] = value
    for name in secrets:
        if not _NAME.fullmatch(name):
            raise PublishError("A secret is named, its value is not written.", "Write --secret NAME, and export NAME.")
        if not environment.get(name):
            raise PublishError(f"The secret {name} has no value here.", f"Export {name} in the environment.")
        found["secrets"][name] = environment[name]
    return found


def difference(hub: Hub, repo: str, wanted: Settings, *, hardware: str | None, sleep_seconds: int | None) -> Settings:
    """What of `wanted` the Space does not have yet; the Hub is asked only about what is wanted."""
    variables, secrets = dict(wanted.variables), dict(wanted.secrets)
    with translated(f"the settings of {repo}"):
        if variables:
            known = hub.api.get_space_variables(repo)
            same = {name: each.value for name, each in known.items()}
            variables = {name: text for name, text in variables.items() if same.get(name) != text}
        if secrets and not wanted.replace:
            held = hub.api.get_space_secrets(repo)  # their values never come back: there is all that can be known
            secrets = {name: text for name, text in secrets.items() if name not in held}
    return Settings(
        wanted.hardware if wanted.hardware != hardware else None,
        wanted.sleep_seconds if wanted.sleep_seconds != sleep_seconds else None,
        variables,
        secrets,
        wanted.replace,
    )


def apply(hub: Hub, repo: str, settings: Settings) -> None:
    """Set them; each can be set again without harm, so a failure in between is mended by the next run."""
    with translated(f"the settings of {repo}"):
        for name, value in settings.variables.items():
            hub.api.add_space_variable(repo, name, value)
        for name, value in settings.secrets.items():
            hub.api.add_space_secret(repo, name, value)
        if settings.hardware:
            hub.api.request_space_hardware(repo, settings.hardware)  # type: ignore[arg-type]
        if settings.sleep_seconds is not None:
            hub.api.set_space_sleep_time(repo, settings.sleep_seconds)
