"""A client's key, and how it is made and stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

PREFIX = "sk-spaceport-"
HINT_CHARACTERS = len(PREFIX) + 4


@dataclass(frozen=True, slots=True)
class Key:
    """What a key may do; the key itself is nowhere, only its `hash` and a `hint` of its first characters.

    `targets` are names of the catalogue, or None for all. `budget` is in nano-USD a calendar month in UTC. A limit of
    None is no limit.
    """

    id: str
    owner: str
    hash: str
    hint: str
    created_at: datetime
    targets: tuple[str, ...] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    budget: int | None = None
    revoked_at: datetime | None = None

    def may_use(self, target: str) -> bool:
        """Return whether the key may use a target."""
        return self.targets is None or target in self.targets


def new_key() -> str:
    """Return a random key of 256 bits."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_key(text: str) -> str:
    """Return the hash under which a key is stored.

    A fast hash without salt is right here. Slow, salted ones protect passwords, which people choose and reuse: a
    thief tries the likely ones. Nobody can try 2^256 keys, and no two are equal. Each request computes this hash, which
    takes a microsecond; looking it up in a dictionary tells nothing about the keys, because a client can't choose it.
    """
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
