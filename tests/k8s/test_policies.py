"""What has to hold of everything that is applied, in base and in each overlay; and that each check can fail."""

from __future__ import annotations

import copy

import pytest

from tests.k8s.breakages import BREAKAGES, Breakage
from tests.k8s.checks import CHECKS, Check
from tests.k8s.conftest import Render
from tests.k8s.objects import Object


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_policy(objects: list[Object], check: Check) -> None:
    assert list(check(objects)) == []


@pytest.mark.parametrize("broken", BREAKAGES, ids=lambda broken: broken.what.replace(" ", "-"))
def test_policy_notices(render: Render, broken: Breakage) -> None:
    objects = copy.deepcopy(render(broken.folder))
    assert list(broken.check(objects)) == []
    broken.edit(objects)
    assert list(broken.check(objects)) != []


def test_every_policy_is_seen_to_fail() -> None:
    assert {broken.check for broken in BREAKAGES} == set(CHECKS)
