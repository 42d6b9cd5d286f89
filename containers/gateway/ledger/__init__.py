"""The ledger's rows on their way from an answer to the database."""
