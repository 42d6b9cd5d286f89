"""Requests and tokens a minute for each key, in memory or in a Redis that several gateways share."""
