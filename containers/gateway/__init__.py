"""The gateway: every target of the catalogue behind one address, with keys, budgets and a ledger."""
