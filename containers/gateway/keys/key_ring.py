"""The keys in memory, so that no request waits for the database."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.keys.key import Key, hash_key
from inference.errors import Unauthorized
from inference.http.keys import wrong_key


class KeyRing:
    """All keys by their hashes, as the database had them last; they stay while the database is away."""

    def __init__(self) -> None:
        self._by_hash: dict[str, Key] = {}
        self._by_id: dict[str, Key] = {}

    def __len__(self) -> int:
        return sum(key.revoked_at is None for key in self._by_id.values())

    def replace(self, keys: Iterable[Key]) -> None:
        """Take the keys that the database has now."""
        self._by_id = {key.id: key for key in keys}
        self._by_hash = {key.hash: key for key in self._by_id.values()}

    def find(self, text: str) -> Key:
        """Return the key that a client sent; `Unauthorized` if there is none, or it is revoked."""
        key = self._by_hash.get(hash_key(text)) if text else None
        if key is None:
            raise wrong_key()
        if key.revoked_at:
            raise revoked()
        return key

    def is_valid(self, key_id: str) -> bool:
        """Return whether a key still exists and isn't revoked."""
        key = self._by_id.get(key_id)
        return key is not None and key.revoked_at is None


def revoked() -> Unauthorized:
    """The error for a request with a revoked key, and for an answer whose key is revoked while it runs."""
    return Unauthorized("The API key is revoked.", "Ask its operator for another one.", status=401)
