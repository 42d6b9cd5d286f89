"""CPU features, and a container's CPU limit from both versions of cgroups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.machine.processors import cpu_limit, has_feature, usable_processors


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 amx_bf16 amx_tile\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd bf16\n", False),
        ("", False),
    ],
)
def test_a_feature_of_the_processor(tmp_path: Path, content: str, expected: bool) -> None:
    (tmp_path / "cpuinfo").write_text(content)
    assert has_feature("amx_bf16", tmp_path / "cpuinfo") is expected
    assert not has_feature("amx_bf16", tmp_path / "gone")


def cgroup_v2(folder: Path, text: str) -> Path:
    (folder / "cpu.max").write_text(text)
    return folder


def cgroup_v1(folder: Path, quota: str, period: str) -> Path:
    (folder / "cpu").mkdir()
    (folder / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (folder / "cpu" / "cpu.cfs_period_us").write_text(period)
    return folder


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("250000 100000\n", 2.5),
        ("50000 100000\n", 0.5),
        ("max 100000\n", None),
        ("max\n", None),
        ("", None),
        ("100000 0\n", None),
        ("many few\n", None),
        ("1 2 3\n", None),
    ],
)
def test_the_limit_of_cgroup_v2(tmp_path: Path, text: str, limit: float | None) -> None:
    assert cpu_limit(cgroup_v2(tmp_path, text)) == limit


@pytest.mark.parametrize(
    ("quota", "period", "limit"),
    [("150000\n", "100000\n", 1.5), ("-1\n", "100000\n", None), ("100000", "0", None), ("", "", None)],
)
def test_the_limit_of_cgroup_v1(tmp_path: Path, quota: str, period: str, limit: float | None) -> None:
    assert cpu_limit(cgroup_v1(tmp_path, quota, period)) == limit


def test_without_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    assert cpu_limit(tmp_path) is None
    assert cpu_limit(tmp_path / "absent") is None


@pytest.mark.parametrize("content", [b"\xff\xfe 1", b"\0\0"])
def test_an_unreadable_limit_is_no_limit(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cpu.max").write_bytes(content)
    assert cpu_limit(tmp_path) is None


def test_a_limit_counts_in_whole_processors_and_at_least_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert usable_processors(cgroup_v2(tmp_path, "50000 100000")) == 1
    assert usable_processors(cgroup_v2(tmp_path, "190000 100000")) == 1
    assert usable_processors(cgroup_v2(tmp_path, "max 100000")) == available
    assert usable_processors(cgroup_v2(tmp_path, "99900000 100000")) == available


@pytest.mark.parametrize(
    ("value", "expected"), [("1", 1), (" 1,4", 1), ("", None), ("0", None), ("many", None), ("-1", None)]
)
def test_the_limit_of_openmp(value: str, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    unlimited = usable_processors(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert usable_processors(tmp_path) == (expected or unlimited)
