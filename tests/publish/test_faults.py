"""Publishing while one route of the Hub fails: the Space keeps its old files or has all the new ones.

huggingface_hub waits for seconds before it retries, so the cases run in parallel, each on its own Hub.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import pytest
from huggingface_hub import HfApi

from backends.hub.client import Hub as HubClient
from backends.hub.errors import HubError
from publishing.errors import PublishError
from publishing.hub.plan import fetch_live, make_plan
from publishing.hub.push import push
from publishing.hub.watch import WaitOptions, wait_until_running
from publishing.staging.stage import StagedSpace
from tests.helpers.servers import serving
from tests.publish.fake_hub import TOKEN, Hub, Space

Fault = str | int
Case = tuple[str, Fault, int]
REPO = "somebody/space"
ROUTES = ("info", "tree", "preupload", "validate", "commit", "runtime", "logs")
FAULTS: tuple[Fault, ...] = (
    "refused",
    401,
    403,
    404,
    409,
    412,
    429,
    500,
    503,
    "half",
    "after",
    "silent",
    "silent after",
)
REFUSALS = (401, 403)  # that nothing repeats
OLD = {".gitattributes": b"*.bin filter=lfs\n", "README.md": b"---\nsdk: gradio\n---\nold\n", "app.py": b"old\n"}
NEW = {"README.md": b"---\nsdk: gradio\n---\nnew\n", "app.py": b"new\n", "more.py": b"x = 1\n"}
WHOLE = {**NEW, ".gitattributes": OLD[".gitattributes"]}


@dataclass
class Result:
    """The error, if any, and the Space afterwards."""

    error: str | None
    space: Space | None


def run(space: StagedSpace, case: Case) -> Result:
    """Publish to a Hub with this fault. For the route "create", the Space does not exist yet."""
    route, fault, times = case
    with serving(Hub(), poll_seconds=1) as hub:  # there are hundreds
        client = HubClient(HfApi(endpoint=hub.url, token=TOKEN), silence_seconds=1.0)
        if route != "create":
            client.api.create_repo(REPO, repo_type="space", space_sdk="gradio")
            hub.spaces[REPO].commit("before", OLD)
        hub.fail(route, fault, times)
        error = None
        try:
            commit = push(client, make_plan(REPO, space, fetch_live(client, REPO)), "Publish", report=lambda _: None)
            wait_until_running(client, REPO, commit, WaitOptions(20, 0.01), lambda _: None)
        except (HubError, PublishError) as caught:
            error = str(caught)
        return Result(error, hub.spaces.get(REPO))


def is_short(route: str, fault: Fault, times: int) -> bool:
    """Return whether a case ends soon: huggingface_hub waits 10 s for "preupload", and retries five times."""
    return not (str(fault).startswith("silent") and times == 9 and route == "preupload")


# Only a commit is tried three times here.
CASES: list[Case] = [
    *(case for case in product(ROUTES, FAULTS, (1, 9)) if is_short(*case) and (case[1] not in REFUSALS or case[2] > 1)),
    *(("commit", fault, 2) for fault in FAULTS if fault not in REFUSALS and not str(fault).startswith("silent")),
]
CREATING: list[Case] = [("create", fault, 9) for fault in ("refused", 401, 402, 403, 409, 429, 500, "half")]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Result]:
    folder = tmp_path_factory.mktemp("staged")
    for place, data in NEW.items():
        (folder / place).write_bytes(data)
    space = StagedSpace("space", folder, {place: folder / place for place in NEW}, {"sdk": "gradio"})
    cases = [*CASES, *CREATING]
    with ThreadPoolExecutor(len(cases)) as pool:
        return dict(zip(cases, pool.map(lambda case: run(space, case), cases), strict=True))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_files_are_all_old_or_all_new(results: dict[Case, Result], case: Case) -> None:
    result = results[case]
    assert result.space is not None
    assert result.space.head.files in (OLD, WHOLE)
    assert len(result.space.commits) <= 3  # never the same commit twice
    if result.error is None:
        assert result.space.head.files == WHOLE
    else:
        assert TOKEN not in result.error
        assert len(result.error) > 20


@pytest.mark.parametrize("case", CREATING, ids=str)
def test_a_failed_creation_writes_no_files(results: dict[Case, Result], case: Case) -> None:
    result = results[case]
    assert result.error
    assert TOKEN not in result.error
    assert result.space is None or len(result.space.commits) == 1
