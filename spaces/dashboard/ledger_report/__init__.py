"""The gateway's ledger for the page of costs: read from its database, as charts, as a table and as CSV."""
