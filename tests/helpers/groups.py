"""Groups of tests: which ones share a worker process, and in which order the groups start."""

from __future__ import annotations

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

# The tests of such a folder share one thing: a Docker engine with its images, or one running app.
SHARED = ("tests/containers", "tests/security")


def group(nodeid: str) -> str:
    """Return the group of a test: its module, or its folder if the folder's tests share something."""
    path = PurePosixPath(nodeid.partition("::")[0])
    return next((folder for folder in SHARED if path.is_relative_to(folder)), str(path))


class GroupScheduling(LoadScopeScheduling):
    """Give each worker whole groups, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
