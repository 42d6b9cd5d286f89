"""Routes: entries of the catalogue that choose among targets.

    [support]
    kind = "gateway.routing"
    choose = "weights"             # or "order", "least_busy", "cheapest"
    targets = ["gpu", "candidate"]
    weights = [95, 5]

`gateway.routing.settings` has all settings. Outside of the gateway, for example on a page, a route is a backend.
"""

from gateway.routing.backend import connect

__all__ = ["connect"]
