"""All checks of rendered manifests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.k8s import consistency_checks, lifecycle_checks, network_checks, pod_checks, scale_checks
from tests.k8s.objects import Object

Check = Callable[[list[Object]], Iterator[str]]
MODULES = (pod_checks, lifecycle_checks, consistency_checks, scale_checks, network_checks)
CHECKS: tuple[Check, ...] = tuple(check for module in MODULES for check in module.CHECKS)


def problems(objects: list[Object]) -> list[str]:
    """One line per problem."""
    return [problem for check in CHECKS for problem in check(objects)]
