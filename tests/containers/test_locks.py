"""The locked requirements of the images: complete, with hashes, and pip refuses every other file."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, requires
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from containers import images
from containers.locks import LOCKS, Lock
from tests.conftest import ROOT

FILES = [*(lock.file for lock in LOCKS), "models.txt"]
# Dockerfile.gpu adds packages to NVIDIA's image, whose own constraints decide about versions (docs/security.md).
DOCKERFILES = tuple(f"containers/{name}/Dockerfile" for name in images.NAMES)
LINUX = {
    "python_version": "3.11", "python_full_version": "3.11.0", "sys_platform": "linux", "platform_system": "Linux",
    "os_name": "posix", "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": "",
}  # fmt: skip
LINES = (ROOT / "constraints.txt").read_text().splitlines()
each_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.file)


def read(file: str) -> dict[str, tuple[str, list[str]]]:
    """The version and the hashes of each package in a file of locked requirements."""
    text = re.sub(r"\\\n\s*", "", (ROOT / file).read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    packages = {}
    for line in lines:
        requirement, *hashes = line.split(" --hash=sha256:")
        name, version = requirement.split("==")
        packages[canonicalize_name(name)] = (version.strip(), [each.strip() for each in hashes])
    assert len(packages) == len(lines)
    return packages


@pytest.mark.parametrize("file", FILES)
def test_every_package_has_one_version_and_hashes(file: str) -> None:
    for name, (version, hashes) in read(file).items():
        assert re.fullmatch(r"[\w.]+", version), f"{name}: {version!r}"
        assert hashes, f"{name} has no hash"
        assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in hashes), name


def test_constraints_have_every_package_of_the_project() -> None:
    """`make install` takes them as they are, and finds out nothing else."""
    constraints = {canonicalize_name(each.name): each.specifier for each in map(Requirement, LINES)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in chain(project["dependencies"], *project["optional-dependencies"].values()):
        requirement = Requirement(line)
        if requirement.name != project["name"]:
            (version,) = constraints[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version.version), f"{line}: run make lock"


@each_lock
def test_versions_are_those_of_constraints(lock: Lock) -> None:
    constraints = {}
    for line in LINES:
        requirement = Requirement(line)
        if not requirement.marker or requirement.marker.evaluate(LINUX | {"platform_machine": "x86_64"}):
            constraints[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    versions = {name: version for name, (version, _) in read(lock.file).items()}
    assert versions == {name: constraints[name] for name in versions}, "Run: make lock"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@each_lock
def test_a_lock_has_what_the_image_needs_and_no_more(lock: Lock, machine: str) -> None:
    environment = LINUX | {"platform_machine": machine}
    needed: dict[str, set[str]] = {}
    queue = [each for source in lock.sources for each in requirements(source)]
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if name in lock.excluded or (name in needed and requirement.extras <= needed[name]):
            continue
        needed[name] = needed.get(name, set()) | requirement.extras
        for each in map(Requirement, dependencies(name)):
            if any(not each.marker or each.marker.evaluate(environment | {"extra": x}) for x in needed[name] | {""}):
                queue.append(each)
    assert set(read(lock.file)) == set(needed), "Run: make lock"


def dependencies(name: str) -> list[str]:
    """What a package requires; one for an earlier Python than this machine's isn't installed, and requires nothing."""
    try:
        return requires(name) or []
    except PackageNotFoundError:
        assert any(re.match(rf"{name}==\S+ ; python_full_version < ", line) for line in LINES), name
        return []


def requirements(source: str) -> Iterator[Requirement]:
    for line in (ROOT / source).read_text().splitlines():
        if text := line.partition("#")[0].strip():
            requirement = Requirement(text)
            if not requirement.marker or requirement.marker.evaluate(LINUX):
                yield requirement


# What the images do with them


def pip_options(dockerfile: str) -> list[str]:
    """The options of each `pip install` in a Dockerfile, as one string."""
    text = (ROOT / dockerfile).read_text().replace("\\\n", " ")
    return [re.sub(r"\s+", " ", each) for each in re.findall(r"\bpip (?:--python \S+ )?install ([^&;}\n]*)", text)]


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_the_images_install_only_wheels_with_a_known_hash(dockerfile: str) -> None:
    installs = pip_options(dockerfile)
    assert installs
    for options in installs:
        assert {"--require-hashes", "--no-deps", "--only-binary :all:"} <= set(
            re.findall(r"--[\w-]+(?: :all:)?", options)
        )
        (file,) = re.findall(r"-r (\S+)", options)
        assert file == "model.txt" or f"{Path(dockerfile).parent.as_posix()}/{file}" in FILES


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a package that no index has."""
    path = tmp_path_factory.mktemp("index") / "spaceport_example-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        info = "spaceport_example-1.0.dist-info"
        archive.writestr("spaceport_example.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: spaceport-example\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("spaceport-example==1.0 --hash=sha256:{digest}", ""),
        ("spaceport-example==1.0 --hash=sha256:{other}", "DO NOT MATCH THE HASHES"),
        ("spaceport-example==1.0", "Hashes are required"),
    ],
    ids=["the same file", "another file of the same version", "no hash"],
)
def test_pip_with_the_options_of_the_images(wheel: Path, tmp_path: Path, line: str, problem: str) -> None:
    digest = sha256(wheel.read_bytes()).hexdigest()
    file = tmp_path / "requirements-locked.txt"
    file.write_text(line.format(digest=digest, other=digest[::-1]))
    options = next(each for each in pip_options(DOCKERFILES[0]) if each.endswith(f"-r {file.name} "))
    command = [sys.executable, "-m", "pip", "--isolated", "install", "--no-index", "--find-links", wheel.parent]
    command += ["--target", tmp_path / "target", *options.replace(file.name, str(file)).split()]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode == 0) == (not problem), result.stderr
    assert problem in result.stderr


@pytest.mark.parametrize(
    "file",
    [
        "inference/Dockerfile",
        "inference/Dockerfile.gpu",
        "edge/Dockerfile",
        "vision/Dockerfile",
        "diffusion/Dockerfile.gpu",
    ],
)
def test_an_image_of_a_server_has_all_of_its_folders(file: str) -> None:
    """When each folder had a line of its own, a new one was missing from the images."""
    lines = (ROOT / "containers" / file).read_text().splitlines()
    assert "COPY containers/inference inference" in lines
    for name in ("vision", "diffusion"):
        assert (f"COPY containers/{name} {name}" in lines) == file.startswith(f"{name}/")
