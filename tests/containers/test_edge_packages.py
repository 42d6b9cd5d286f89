"""The list of Debian packages in the edge image, written for libraries of this machine."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT, missing


@pytest.fixture(scope="module")
def collect() -> ModuleType:
    """The script of the image, which is in no package."""
    if not shutil.which("dpkg"):
        missing("dpkg, which Debian and Ubuntu have")
    spec = importlib.util.spec_from_file_location("collect", ROOT / "containers/edge/collect.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_scanners_find_the_release_and_the_packages_of_the_libraries(collect: ModuleType, tmp_path: Path) -> None:
    libraries = sorted(collect._libraries([Path(sys.executable).resolve()]))
    collect._add_packages(tmp_path, [Path("/usr/local/of/no/package"), *libraries])
    packages = {path.name: path.read_text() for path in (tmp_path / "var/lib/dpkg/status.d").iterdir()}
    assert "libc6" in packages
    for name, text in packages.items():
        assert text.startswith(f"Package: {name}\n")
        assert "\nStatus: install ok installed\n" in text
        assert "\nVersion: " in text
    for file in ("etc/os-release", "etc/debian_version"):
        assert (tmp_path / file).read_text() == Path("/", file).read_text()


def test_a_library_is_found_by_both_of_its_paths(collect: ModuleType) -> None:
    """/lib is a link to /usr/lib."""
    libraries = sorted(collect._libraries([Path(sys.executable).resolve()]))
    assert collect._owners([each.resolve() for each in libraries]) == collect._owners(libraries)


def test_files_without_a_package_stop_the_build(collect: ModuleType) -> None:
    with pytest.raises(SystemExit, match="dpkg knows no package"):
        collect._owners([Path("/usr/local/of/no/package")])
