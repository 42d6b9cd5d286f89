"""Every check passes for base and each overlay, and fails for manifests with faults."""

from __future__ import annotations

import copy

import pytest

from tests.k8s.checks import CHECKS, Check
from tests.k8s.conftest import Render
from tests.k8s.faults import FAULTS, Fault
from tests.k8s.objects import Object


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check_passes(objects: list[Object], check: Check) -> None:
    assert list(check(objects)) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.description.replace(" ", "-"))
def test_check_reports_the_fault(render: Render, fault: Fault) -> None:
    objects = copy.deepcopy(render(fault.folder))
    assert list(fault.check(objects)) == []
    fault.edit(objects)
    assert list(fault.check(objects)) != []


def test_every_check_has_a_fault() -> None:
    assert {fault.check for fault in FAULTS} == set(CHECKS)
