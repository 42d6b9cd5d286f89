"""Several gateways under load: which keys get what they may, and how fast stored answers come."""
