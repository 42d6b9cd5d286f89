"""The tables in the newest version of the schema: keys, the ledger, and what each key spent."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)

metadata = MetaData()

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("hint", String(32), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("targets", JSON(none_as_null=True)),
    Column("requests_per_minute", Integer),
    Column("tokens_per_minute", BigInteger),
    Column("budget", BigInteger),  # nano-USD a month
    Column("revoked_at", DateTime(timezone=True)),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("gateway", String(32), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("target", String(200), nullable=False),
    Column("dialect", String(20), nullable=False),
    Column("is_stream", Boolean, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("day", String(10), nullable=False),
    Column("first_token_seconds", Float),
    Column("seconds", Float, nullable=False),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cost", BigInteger),  # nano-USD; NULL is unknown
    Column("is_bound", Boolean, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("error", String(60), nullable=False),
    Column("status", Integer, nullable=False),
    Column("cache", String(10), nullable=False, server_default=""),
    Column("pictures", Integer, nullable=False, server_default="0"),
    Index("ledger_day", "day"),
    Index("ledger_key_day", "key_id", "day"),
)

# What each key spent in a month through each gateway: summing the ledger at every refresh would take ever longer.
spending = Table(
    "spending",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("key_id", String(32), primary_key=True),
    Column("gateway", String(32), primary_key=True),
    Column("cost", BigInteger, nullable=False),
)

# What the running requests of each gateway can cost; `seen_at` is the database's clock, when the gateway last said so.
reservations = Table(
    "reservations",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("gateway", String(32), primary_key=True),
    Column("cost", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # seconds since 1970
)
