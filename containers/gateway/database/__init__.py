"""What the gateway stores, in SQLite or PostgreSQL: keys, the ledger and what each key spent."""
