"""Copies Python and the shared libraries that a virtual environment loads into a folder, the root of an image.

Of Python and of the environment it keeps bytecode alone: sources would be a fifth of the image.

    python3 collect.py /system /venv

Both bases work: the official image, whose Python is in /usr/local, and Debian's own in /usr.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Of the standard library: tests, developers' tools, windows on a screen, and modules whose libraries nothing here uses.
UNUSED = """
    __pycache__ test tests idlelib tkinter turtledemo lib2to3 ensurepip distutils pydoc_data venv curses sqlite3 dbm
    site-packages dist-packages config-* *.a EXTERNALLY-MANAGED turtle.py _tkinter.* _curses*.so _sqlite3.* _dbm.*
    _gdbm.* readline.* nis.* ossaudiodev.* _test*.so _xxtestfuzz* xxlimited* _ctypes_test*
"""
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# For programs that ask for the name of their user.
USER = "spaceport:x:10001:10001::/tmp:/nonexistent\n"


def main(root: Path, environment: Path) -> None:
    """Fill `root`, without `environment` itself."""
    for name in ("bin", "lib", "lib64"):  # the dynamic linker's paths start with /lib, which is a link in Debian
        if (link := Path("/", name)).is_symlink():
            (root / link.readlink()).mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(link.readlink())
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, _place(root, library), ignore=shutil.ignore_patterns(*UNUSED.split()), symlinks=True)
    _replace_sources(_place(root, library), root)
    _replace_sources(environment, Path("/"))
    for link in _links(environment / "bin" / "python"):
        if not link.is_relative_to(environment):
            _copy(link, root)
    program = Path(sys.executable).resolve()
    libraries = sorted(_libraries([program, *root.rglob("*.so"), *environment.rglob("*.so*")]))
    for shared in libraries:
        _copy(shared, root)
    _add_settings(root)
    _add_packages(root, [program, library / "os.py", *libraries])


def _replace_sources(folder: Path, root: Path) -> None:
    """Put the bytecode of each module in the place of its source."""
    if not compileall.compile_dir(folder, quiet=1, stripdir=root, prependdir="/", legacy=True, workers=0):
        sys.exit(f"There are modules in {folder} that don't compile.")
    for source in folder.rglob("*.py"):
        source.unlink()
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)


def _links(path: Path) -> Iterator[Path]:
    """Yield a path, and those that it leads to."""
    yield path
    while path.is_symlink():
        path = path.parent / path.readlink()
        yield path


def _libraries(files: list[Path]) -> set[Path]:
    """Return the shared libraries that programs and libraries load when they start, and the dynamic linker."""
    output = subprocess.run(["ldd", *files], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    if missing := re.findall(r"^[ \t]*(\S+) => not found", output, re.MULTILINE):
        sys.exit(f"These libraries are missing: {', '.join(missing)}.")
    return {Path(path) for path in re.findall(r"(?:=> |^\t)(/\S+) \(0x", output, re.MULTILINE)}


def _copy(path: Path, root: Path) -> None:
    target = _place(root, path)
    if not os.path.lexists(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target, follow_symlinks=".so" in path.name)


def _place(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _add_settings(root: Path) -> None:
    """Add certificates, a user, /tmp, and where the dynamic linker finds libraries in /usr/local."""
    _copy(Path("/", CERTIFICATES), root)
    shutil.copy("/etc/ld.so.conf", root / "etc")
    shutil.copytree("/etc/ld.so.conf.d", root / "etc/ld.so.conf.d")
    subprocess.run(["ldconfig", "-r", root], check=True)  # noqa: S603, S607
    (root / "etc/passwd").write_text(USER)
    (root / "tmp").mkdir(mode=0o1777)
    (root / "tmp").chmod(0o1777)


def _add_packages(root: Path, files: list[Path]) -> None:
    """Add the release of Debian and the packages that files come from, where scanners look for them in such images."""
    folder = root / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True)
    for owner in _owners(files):
        status = subprocess.run(["dpkg", "-s", owner], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
        (folder / owner.partition(":")[0]).write_text(status)
    (root / "etc").mkdir(exist_ok=True)
    for name in ("etc/os-release", "etc/debian_version"):
        shutil.copy(Path("/", name), root / name)


def _owners(files: list[Path]) -> list[str]:
    """Return the Debian packages that files come from; Python in /usr/local comes from none."""
    # /lib is a link to /usr/lib, and a package may name its files by either path.
    paths = {path for file in files for path in (file, file.resolve())}
    paths |= {Path("/", path.relative_to("/usr")) for path in paths if path.is_relative_to("/usr")}
    output = subprocess.run(["dpkg", "-S", *paths], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607
    owners = {
        owner
        for line in output.splitlines()
        if not line.startswith("diversion ")
        for owner in line.rpartition(": ")[0].split(", ")
    }
    if not owners:
        sys.exit("dpkg knows no package of the shared libraries.")
    return sorted(owners)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
