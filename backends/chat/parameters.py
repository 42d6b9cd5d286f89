"""The parameters of a request that a server takes: set in the catalogue, and learned from its refusals."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from backends.errors import Rejected

MAX_TOKENS, NEWER_MAX_TOKENS = "max_tokens", "max_completion_tokens"
# A server can do without these: without the others, the answer would be another one.
_OPTIONAL = {name: re.compile(rf"\b{name}\b") for name in ("stream_options", "temperature", "top_p", "seed")}
_REFUSED = re.compile(
    r"support|recogni[sz]ed|unknown|permitted|unexpected|extra |deprecated|not allowed|not accept|only the default",
    re.IGNORECASE,
)
_log = logging.getLogger(__name__)


class Parameters:
    """The names of the parameters of one target.

    `max_tokens_field` is the name of the limit of output tokens, `drop` names the parameters to leave out.
    """

    def __init__(self, max_tokens_field: str = MAX_TOKENS, drop: Iterable[str] = ()) -> None:
        self.max_tokens_field = max_tokens_field
        self.drop = set(drop)

    def adapt(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the request's body as the server takes it."""
        names = {MAX_TOKENS: self.max_tokens_field}
        return {names.get(name, name): value for name, value in body.items() if name not in self.drop}

    def learn(self, error: Rejected) -> bool:
        """Remember a parameter that the server refused by name; return whether the next request is another one."""
        if error.status not in (400, 422) or not _REFUSED.search(error.message):
            return False
        if NEWER_MAX_TOKENS in error.message and self.max_tokens_field == MAX_TOKENS:
            self.max_tokens_field = NEWER_MAX_TOKENS
            return True
        refused = {name for name, word in _OPTIONAL.items() if word.search(error.message)} - self.drop
        if refused:
            _log.warning("The server doesn't take %s: asked without.", ", ".join(sorted(refused)))
        self.drop |= refused
        return bool(refused)
