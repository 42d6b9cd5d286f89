"""The catalogue: named targets in a TOML file, each made usable by `connect(name)`."""

from __future__ import annotations

import asyncio
import difflib
import importlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backends.errors import BackendError, NotConfigured, Unreachable
from backends.settings import TargetSettings
from backends.types import Backend

BUILT_IN = Path(__file__).with_name("backends.toml")
# The modules of this package that have connect(settings).
KINDS = (
    "embedded", "fallback", "huggingface", "kubernetes", "ollama", "openai", "sagemaker", "transformers", "vertex"
)  # fmt: skip
OF_THE_CATALOGUE = ("kind", "label", "price")  # what the entry says to others than its backend
_SECRET = re.compile(r"key|token|secret|password|credential|authorization", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of the catalogue; `unavailable` says why it cannot be used now, or is None."""

    name: str
    kind: str
    unavailable: BackendError | None
    label: str = ""
    price: str = ""

    @property
    def title(self) -> str:
        """What a person reads in a list: the label, or the name."""
        return self.label or self.name

    @property
    def reason(self) -> str:
        """Why it cannot be used and what to do, without its name; empty if it can."""
        return str(self.unavailable or "").removeprefix(f"Target {self.name}: ")


class Catalog:
    """Named targets; reading it touches no network and imports no SDK.

    Every entry has a `kind`: a module of `backends`, or the dotted path of any importable module with
    `connect(settings)`. `label` is for people, `price` for the comparator. Text may hold `${NAME}` or
    `${NAME:-default}`; where NAME is not set, NAME_FILE may name the file that holds it.
    """

    def __init__(
        self, entries: Mapping[str, Any], *, source: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self.source = source
        self._environment = os.environ if environment is None else environment
        self._entries = dict(entries)
        for name, entry in self._entries.items():
            if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
                raise NotConfigured(
                    f"[{name}] in {source} has no kind.", 'Give it one, for instance kind = "openai" and a url.'
                )

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Catalog:
        """Read `path`, or the file that SPACEPORT_CATALOG names, or the built-in catalogue."""
        chosen = Path(path or os.environ.get("SPACEPORT_CATALOG") or BUILT_IN)
        try:
            return cls(tomllib.loads(chosen.read_text(encoding="utf-8")), source=str(chosen))
        except OSError as error:
            raise NotConfigured(
                f"The catalogue {chosen} cannot be read ({error.strerror}).", "Check --catalog or SPACEPORT_CATALOG."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise NotConfigured(f"The catalogue {chosen} is not valid TOML: {error}.", "Correct that line.") from error

    @property
    def names(self) -> list[str]:
        return list(self._entries)

    @property
    def default(self) -> str:
        """The first target."""
        if not self._entries:
            raise NotConfigured(f"The catalogue {self.source} is empty.", "Add a target to it.")
        return next(iter(self._entries))

    def target(self, name: str) -> Target:
        """One target with the reason if it cannot be used; nothing is contacted."""
        entry = self._entry(name)
        try:
            self.connect(name)
            reason = None
        except BackendError as error:
            reason = error
        return Target(name, entry["kind"], reason, str(entry.get("label", "")), str(entry.get("price", "")))

    def settings(self, name: str) -> dict[str, Any]:
        """The entry as it is written, without what may be secret, to say in a report what was used."""
        return {key: _shown(key, value) for key, value in self._entry(name).items()}

    def targets(self) -> list[Target]:
        return [self.target(name) for name in self._entries]

    async def reach(self, seconds: float = 2.0) -> list[Target]:
        """Like `targets`, but servers are asked whether they answer, all at once and for so long at most.

        A model in this process is not loaded for it.
        """
        return list(await asyncio.gather(*(self._reach(name, seconds) for name in self._entries)))

    async def _reach(self, name: str, seconds: float) -> Target:
        target = await asyncio.to_thread(self.target, name)
        if target.unavailable:
            return target
        backend = self.connect(name)
        if getattr(backend, "local", False):
            return target
        try:
            async with asyncio.timeout(seconds):
                await backend.check()
        except TimeoutError:
            silent = Unreachable(f"It did not answer within {seconds:g} s.", "Check that it runs.")
            return replace(target, unavailable=silent)
        except BackendError as error:
            return replace(target, unavailable=error)
        finally:
            await backend.aclose()
        return target

    def connect(self, name: str) -> Backend:
        """A backend for the target `name`; `NotConfigured` says what is wrong with its entry."""
        return self._connect(name, ())

    def _connect(self, name: str, above: tuple[str, ...]) -> Backend:
        if name in above:
            raise NotConfigured(f"{' → '.join((*above, name))} goes round in a circle.", "Remove one of them.")
        entry = self._entry(name)
        values = {key: value for key, value in entry.items() if key not in OF_THE_CATALOGUE}
        try:
            expanded = {key: self._expand(value) for key, value in values.items()}
            module = _module(entry["kind"])
            settings = TargetSettings(name, expanded, lambda other: self._connect(other, (*above, name)))
            backend: Backend = module.connect(settings)
            return backend
        except NotConfigured as error:
            place = f"Target {name}: "
            message = error.message if error.message.startswith("Target ") else place + error.message
            raise NotConfigured(message, error.remedy) from error

    def _entry(self, name: str) -> dict[str, Any]:
        if name not in self._entries:
            close = difflib.get_close_matches(name, self._entries, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise NotConfigured(
                f"There is no target {name!r}.", f"{hint}{self.source} has: {', '.join(self._entries)}."
            )
        entry: dict[str, Any] = self._entries[name]
        return entry

    def _expand(self, value: Any) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(self._variable, value)
        if isinstance(value, list):
            return [self._expand(item) for item in value]
        if isinstance(value, dict):
            return {key: self._expand(item) for key, item in value.items()}
        return value

    def _variable(self, match: re.Match[str]) -> str:
        found = self._environment.get(match[1]) or self._from_file(f"{match[1]}_FILE") or match[2]
        if found is None:
            raise NotConfigured(f"The variable {match[1]} is not set.", f"Set it: export {match[1]}=…")
        return found

    def _from_file(self, variable: str) -> str | None:
        """A secret that the environment only names the file of, as containers are given them."""
        file = self._environment.get(variable)
        if not file:
            return None
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NotConfigured(f"{variable} names {file}, which cannot be read.", "Mount the secret there.") from error


def _shown(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _shown(inner, each) for inner, each in value.items()}
    if isinstance(value, list):
        return [_shown(key, each) for each in value]
    if not isinstance(value, str):
        return value
    if _SECRET.search(key):  # the name of a variable is none
        return f"${{{named[1]}}}" if (named := _VARIABLE.fullmatch(value)) else "***"
    # User, password and query of an address may be secret.
    return re.sub(r"(?<=://)[^/@\s]*@|\?[^\s]*", "", value) if "://" in value else value


def _module(kind: str) -> Any:
    path = kind if "." in kind else f"backends.{kind}"
    if not all(part.isidentifier() for part in path.split(".")):
        raise NotConfigured(f"There is no kind {kind!r}.", _kinds())
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name and (path == error.name or path.startswith(f"{error.name}.")):
            raise NotConfigured(f"There is no kind {kind!r}.", _kinds()) from error
        raise NotConfigured(f"The kind {kind} needs the package {error.name}.", "Install it with pip.") from error
    except Exception as error:  # one broken module must not hide the other targets of the list
        raise NotConfigured(f"The kind {kind} cannot be imported ({error!r}).", "Correct that module.") from error
    if not hasattr(module, "connect"):
        raise NotConfigured(f"{path} is no kind of backend: it has no connect(settings).", _kinds())
    return module


def _kinds() -> str:
    return f"The kinds are: {', '.join(KINDS)}, or the dotted path of a module with connect(settings)."
