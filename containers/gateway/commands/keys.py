"""`python -m gateway keys add|list|revoke`."""

from __future__ import annotations

import argparse
import math
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from backends import Catalog, SpaceportError
from backends.stopwatch import wall_clock
from gateway.billing import money
from gateway.billing.budgets import month_of
from gateway.billing.prices import read_price
from gateway.database.store import Store
from gateway.keys.key import HINT_CHARACTERS, Key, hash_key, new_key
from gateway.routing.router import ROUTES

MAX_OWNER = 200


def add_arguments(commands: Any) -> None:
    """Add the command and its parts."""
    parser = commands.add_parser("keys", help="add, list and revoke keys")
    parts = parser.add_subparsers(required=True, metavar="add|list|revoke")
    add = parts.add_parser("add", help="make a key, and show it once")
    add.add_argument("owner", type=_owner, help="a person or a team; reports are by owner")
    add.add_argument("--targets", type=_names, metavar="A,B", help="the targets that it may use; by default all")
    add.add_argument("--requests", type=_count, metavar="N", help="requests a minute")
    add.add_argument("--tokens", type=_count, metavar="N", help="tokens a minute")
    add.add_argument("--budget", type=_usd, metavar="USD", help="USD a month")
    add.set_defaults(run=_add)
    parts.add_parser("list", help="list the keys with what they spent this month").set_defaults(run=_list)
    revoke = parts.add_parser("revoke", help="end a key's use within a second")
    revoke.add_argument("id", help="the ID in the list, or its beginning")
    revoke.set_defaults(run=_revoke)


def _add(store: Store, options: argparse.Namespace) -> None:
    if options.targets:
        known = Catalog.load().all_names
        if unknown := [name for name in options.targets if name not in known]:
            raise SpaceportError(f"There is no target {unknown[0]!r}.", f"The catalogue has: {', '.join(known)}.")
    text = new_key()
    key = Key(
        id=uuid.uuid4().hex,
        owner=options.owner,
        hash=hash_key(text),
        hint=text[:HINT_CHARACTERS],
        created_at=_now(),
        targets=options.targets,
        requests_per_minute=options.requests,
        tokens_per_minute=options.tokens,
        budget=options.budget,
    )
    store.add_key(key)
    print(text)
    # Not on standard output, so that a script can write KEY=$(python -m gateway keys add OWNER).
    print(f"Key {key.id[:8]} of {key.owner}. This is the only time that it is shown.", file=sys.stderr)
    if key.budget is not None or key.tokens_per_minute is not None:
        for warning in _warnings(key, Catalog.load()):
            print(warning, file=sys.stderr)


def _warnings(key: Key, catalog: Catalog) -> Iterator[str]:
    """Yield what the key's limits do to requests that its owner may count on."""
    names = [name for name in catalog.all_names if key.may_use(name)]
    entries = {name: entry for name in names if (entry := catalog.settings(name))["kind"] not in ROUTES}
    unpriced = [name for name, entry in entries.items() if read_price(entry)[0] is None]
    if key.budget is not None and unpriced:
        yield f"With a budget it can't use targets without a price in the catalogue: {', '.join(unpriced)}."
    unlimited = [name for name in names if catalog.task(name) in ("classify", "draw")]
    if key.tokens_per_minute is not None and key.requests_per_minute is None and unlimited:
        yield f"Labels and pictures have no tokens: only --requests limits {', '.join(unlimited)}."


def _list(store: Store, _options: argparse.Namespace) -> None:
    spent = store.spent(month_of(_now()), without="")
    print(f"{'id':8}  {'owner':20}  {'key':18}  {'targets':20}  {'per minute':18}  {'USD this month':20}  state")
    for key in store.read_keys():
        targets = "all" if key.targets is None else ",".join(key.targets)
        limits = f"{key.requests_per_minute or '–'} req, {key.tokens_per_minute or '–'} tok"
        budget = "" if key.budget is None else f" of {money.show(key.budget)}"
        bill = money.show(spent.get(key.id, 0)) + budget
        state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "valid"
        print(f"{key.id[:8]}  {key.owner:20}  {key.hint + '…':18}  {targets:20}  {limits:18}  {bill:20}  {state}")


def _revoke(store: Store, options: argparse.Namespace) -> None:
    matches = [key for key in store.read_keys() if key.id.startswith(options.id)] if options.id else []
    if len(matches) != 1:
        number = "Several keys have" if matches else "No key has"
        raise SpaceportError(f"{number} an ID that begins with {options.id!r}.", "python -m gateway keys list")
    store.revoke_key(matches[0].id, _now())
    print(f"Revoked key {matches[0].id[:8]} of {matches[0].owner}.")


def _now() -> datetime:
    return datetime.fromtimestamp(wall_clock(), UTC)


def _owner(text: str) -> str:
    text = text.strip()
    if not text or len(text) > MAX_OWNER or not text.isprintable():
        raise argparse.ArgumentTypeError(f"an owner has from 1 to {MAX_OWNER} printable characters")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name for part in text.split(",") if (name := part.strip()))
    if not names:
        raise argparse.ArgumentTypeError("there is no target in it")
    return names


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _usd(text: str) -> int:
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if not 0 <= usd <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of USD")
    return money.from_usd(usd)
