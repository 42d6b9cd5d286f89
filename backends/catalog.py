"""The catalogue: a TOML file of named targets; `connect(name)` returns the backend of one."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backends.errors import BackendError, NotConfigured, Unreachable
from backends.kinds import check_protocol, import_kind
from backends.local_models.default_model import chosen_model, model_title
from backends.settings import TargetSettings
from backends.telemetry.backend import with_spans
from backends.types import Backend
from backends.variables import expand, hide_secrets

BUILT_IN = Path(__file__).with_name("backends.toml")
# Keys of an entry that aren't settings of its backend.
CATALOG_KEYS = ("kind", "label", "price", "task", "writes", "hides_thoughts", "picture_tokens", "answers_at_once")
# The keys with a list of values; the first is the default.
CHOICES = {"writes": ("answer", "quotes"), "task": ("chat", "classify", "draw", "embed", "rerank")}


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of the catalogue; `unavailable` is the error that prevents its use, or None.

    `local` says that the model runs on this machine, so that no server has to be asked whether it is there.
    `writes` says what a page shows for a question about documents: "answer" for quotes and the model's answer below
    them, "quotes" for the quotes alone. `task` is "chat", or "embed" or "rerank" for a model that does only that.
    """

    name: str
    kind: str
    unavailable: BackendError | None
    label: str = ""
    price: str = ""
    writes: str = "answer"
    task: str = "chat"
    local: bool = False

    @property
    def title(self) -> str:
        """The label, or the name if there is none."""
        return self.label or self.name

    @property
    def reason(self) -> str:
        """Why the target can't be used and what to do, without its name; empty if it can be used."""
        error = self.unavailable
        return f"{error.reason} {error.remedy}".rstrip() if isinstance(error, NotConfigured) else str(error or "")


class Catalog:
    """Named targets. Reading the catalogue makes no network request and imports no SDK.

    Every entry has a `kind`: a module of `backends.kinds`, or the dotted path of any importable module with
    `connect(settings)`. `label` is for people, `writes` for pages (see `Target`), `price` for the comparator and the
    gateway, `hides_thoughts`, `picture_tokens` and `answers_at_once` for the gateway. Text may contain `${NAME}` or
    `${NAME:-default}`; if NAME isn't set, NAME_FILE may name the file that contains the value.
    """

    def __init__(
        self, entries: Mapping[str, Any], *, source: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self.source = source
        self._file = Path(source).name  # a page shows errors: the folder is nobody's business
        self._environment = os.environ if environment is None else environment
        self._entries = dict(entries)
        for name, entry in self._entries.items():
            if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
                raise NotConfigured(
                    f"[{name}] in {self._file} has no kind.", 'Add one, for example kind = "openai" and a url.'
                )
            for key, values in CHOICES.items():
                if (value := entry.get(key, values[0])) not in values:
                    raise NotConfigured(
                        f"[{name}] in {self._file} has {key} = {value!r}.",
                        f"Use {_alternatives(values)}, or leave it out.",
                    )

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Catalog:
        """Read `path`, or the file that SPACEPORT_CATALOG names, or the built-in catalogue."""
        import tomllib  # with hashlib below, a sixth of the time of `import backends`

        file = Path(path or os.environ.get("SPACEPORT_CATALOG") or BUILT_IN)
        try:
            return cls(tomllib.loads(file.read_text(encoding="utf-8")), source=str(file))
        except OSError as error:
            raise NotConfigured(
                f"The catalogue {file} cannot be read ({error.strerror}).", "Check --catalog or SPACEPORT_CATALOG."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise NotConfigured(f"The catalogue {file} is not valid TOML: {error}.", "Fix that line.") from error

    @property
    def names(self) -> list[str]:
        """The targets that chat; a page offers none of those for another task."""
        return [name for name in self._entries if self.task(name) == "chat"]

    @property
    def all_names(self) -> list[str]:
        return list(self._entries)

    @property
    def default(self) -> str:
        """The name of the first target that chats."""
        if not self.names:
            raise NotConfigured(f"The catalogue {self._file} is empty.", "Add a target to it.")
        return self.names[0]

    def target(self, name: str) -> Target:
        """One target, with the reason if it can't be used; makes no network request."""
        entry = self._entry(name)
        error: BackendError | None = None
        local = False
        try:
            local = self.connect(name).local
        except BackendError as caught:
            error = caught
        price = str(entry.get("price", ""))
        return Target(name, entry["kind"], error, self.title(name), price, self.writes(name), self.task(name), local)

    def title(self, name: str) -> str:
        """The label of a target, else the model of an embedded one, else its name; connects to nothing."""
        entry = self._entry(name)
        is_default = entry["kind"] == "embedded" and not entry.get("model")
        return str(entry.get("label") or (model_title() if is_default else name))

    def writes(self, name: str) -> str:
        """What a target writes, "answer" or "quotes" (see `Target`); connects to nothing.

        Without the key it is quotes for the packaged model: measured, it makes answers worse than the documents' words.
        """
        entry = self._entry(name)
        packaged = entry["kind"] == "transformers" or (entry["kind"] == "embedded" and not chosen_model())
        return str(entry.get("writes") or ("quotes" if packaged and not entry.get("model") else "answer"))

    def task(self, name: str) -> str:
        """What a target's model does: "chat", "classify", "draw", "embed" or "rerank"."""
        return str(self._entry(name).get("task") or "chat")

    def targets(self) -> list[Target]:
        """The targets that chat."""
        return [self.target(name) for name in self.names]

    async def check_targets(self, seconds: float = 2.0, names: Iterable[str] | None = None) -> list[Target]:
        """Like `targets`, but also checks every server, concurrently and for at most `seconds`.

        `names` are the targets that chat, or others. A local model is not checked, because that would load it.
        """
        import asyncio  # half of the time of `import backends`

        names = self.names if names is None else names
        return list(await asyncio.gather(*(self._check(name, seconds) for name in names)))

    def settings(self, name: str) -> dict[str, Any]:
        """The entry as written, without secrets, for a report."""
        return {key: hide_secrets(key, value) for key, value in self._entry(name).items()}

    @property
    def digest(self) -> str:
        """A hash of all entries with the values of their variables; another API key alone changes nothing."""
        import hashlib

        entries = {name: self._expanded(entry) for name, entry in self._entries.items()}
        return hashlib.sha256(repr(entries).encode(errors="replace")).hexdigest()

    def connect(self, name: str) -> Backend:
        """A backend for the target `name`; `NotConfigured` says what is wrong with its entry."""
        return self._connect(name, ())

    async def _check(self, name: str, seconds: float) -> Target:
        import asyncio

        target = await asyncio.to_thread(self.target, name)
        if target.unavailable:
            return target
        backend = self.connect(name)
        if backend.local:
            return target
        try:
            async with asyncio.timeout(seconds):
                await backend.check()
        except TimeoutError:
            error = Unreachable(f"It did not answer within {seconds:g} s.", "Check that it runs.")
            return replace(target, unavailable=error)
        except BackendError as error:
            return replace(target, unavailable=error)
        finally:
            await backend.aclose()
        return target

    def _connect(self, name: str, parents: tuple[str, ...]) -> Backend:
        """Connect to `name`; `parents` are the fallback targets that lead to it."""
        if name in parents:
            raise NotConfigured(f"The targets form a loop: {' → '.join((*parents, name))}.", "Remove one of them.")
        entry = self._entry(name)
        try:
            values = {key: expand(value, self._environment) for key, value in entry.items() if key not in CATALOG_KEYS}
            settings = TargetSettings(name, values, lambda other: self._connect(other, (*parents, name)))
            backend: Backend = import_kind(entry["kind"]).connect(settings)
            check_protocol(entry["kind"], backend)
            return with_spans(backend, entry["kind"], str(values.get("model") or ""))
        except NotConfigured as error:
            if error.target:
                raise
            raise NotConfigured(error.message, error.remedy, target=name) from error

    def _expanded(self, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry without its API key, as written if a variable isn't set."""
        values = {key: value for key, value in entry.items() if key != "api_key"}
        try:
            return dict(expand(values, self._environment))
        except NotConfigured:
            return values

    def _entry(self, name: str) -> dict[str, Any]:
        if name not in self._entries:
            close = difflib.get_close_matches(name, self._entries, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise NotConfigured(f"There is no target {name!r}.", f"{hint}{self._file} has: {', '.join(self._entries)}.")
        entry: dict[str, Any] = self._entries[name]
        return entry


def _alternatives(values: tuple[str, ...]) -> str:
    *first, last = (f'"{value}"' for value in values)
    return f"{', '.join(first)} or {last}"
