"""Staging: the files of each Space, problems of its metadata, and files that must not be published."""

from __future__ import annotations

import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from publishing.errors import ContentError, StageError
from publishing.staging import dockerfile, front_matter, requirements
from publishing.staging.app_files import app_files
from publishing.staging.checkout import open_checkout
from publishing.staging.content_check import check_content
from publishing.staging.stage import changed_spaces, space_names, stage
from tests.conftest import ROOT

GOOD = {
    "title": "Chat", "sdk": "gradio", "sdk_version": "6.31.0", "python_version": "3.11", "app_file": "app.py",
    "license": "apache-2.0", "colorFrom": "indigo", "colorTo": "yellow", "short_description": "Short",
}  # fmt: skip


@pytest.mark.parametrize("name", space_names(ROOT))
def test_a_staged_space_is_complete(name: str, tmp_path: Path) -> None:
    space = stage(ROOT, name, tmp_path / name)
    check_content(space.files)
    assert space.files["app.py"].read_bytes() == (ROOT / "spaces" / name / "app.py").read_bytes()
    for place in ("backends/catalog.py", "backends/backends.toml", "ui/theme.py", "LICENSE", "README.md"):
        assert place in space.files
    assert not any(place.split("/")[0] in ("spaces", "tests", "benchmarks", "scripts") for place in space.files)
    others = {"chat_rag": "compare/", "platform_compare": "rag/", "dashboard": "rag/", "vision": "inference/"}
    assert not any(place.startswith(others[name]) for place in space.files)
    pinned = [line for line in space.files["requirements.txt"].read_text().splitlines() if line[0] not in "#-"]
    free = [line for line in pinned if "==" not in line]
    assert free == ([] if name == "dashboard" else ["pydantic<=2.12.5,<=3.0,>=2.0,>=2.11.10"])
    assert not any(line.startswith(("gradio", "spaces", "nvidia", "cuda")) for line in pinned)
    assert f"under spaces/{name}" in space.files["README.md"].read_text() or "/tree/main/" in (
        space.files["README.md"].read_text()
    )


@pytest.mark.parametrize("name", ["chat_rag", "platform_compare", "vision"])
def test_a_space_can_be_installed_beside_the_gradio_of_the_hub(name: str, tmp_path: Path) -> None:
    """The Hub installs gradio[oauth,mcp], whose bound for pydantic is below the version of the lock."""
    space = stage(ROOT, name, tmp_path / name)
    lines = space.files["requirements.txt"].read_text().splitlines()
    pins = {each.name: each.specifier for each in (Requirement(line) for line in lines if line[0] not in "#-")}
    for owner in ("gradio", *pins):
        for each in map(Requirement, requires(owner) or ()):
            if each.name in pins and (each.marker is None or each.marker.evaluate({"extra": "mcp"})):
                ends = [version.version for version in pins[each.name]]
                fits = any(end in each.specifier and end in pins[each.name] for end in ends)
                assert fits, f"{owner} needs {each}"


def test_a_package_of_another_space_comes_with_that_spaces_data(tmp_path: Path) -> None:
    files = stage(ROOT, "dashboard", tmp_path / "dashboard").files
    comparator = ROOT / "spaces" / "platform_compare"
    assert files["prices.toml"].read_bytes() == (comparator / "prices.toml").read_bytes()
    assert any(place.startswith("results/") for place in files)
    assert "compare/report/report.py" in files
    assert not any(place.startswith("compare_page/") for place in files)
    for place in ("app.py", "README.md", "Dockerfile"):
        assert (ROOT / "spaces/dashboard" / place).read_text() in files[place].read_text()


def test_staging_is_reproducible(tmp_path: Path) -> None:
    first = stage(ROOT, "platform_compare", tmp_path / "one")
    second = stage(ROOT, "platform_compare", tmp_path / "two")
    assert {place: path.read_bytes() for place, path in first.files.items()} == {
        place: path.read_bytes() for place, path in second.files.items()
    }


def repository(folder: Path, **sources: str) -> Path:
    """Create a repository and add all its files to git.

    A keyword is a path without .py and with `__` for each slash, its value the source.
    """
    for name, text in sources.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for package in ("backends", "spaces/one/rag"):
        if (folder / package).is_dir():
            (folder / package / "__init__.py").touch()
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def test_imports_inside_functions_are_followed(tmp_path: Path) -> None:
    root = repository(
        tmp_path,
        spaces__one__app="from rag import answer\nif True:\n    def late():\n        import shared",
        spaces__one__rag__answer="from __future__ import annotations\nimport os.path, backends.types",
        spaces__shared="import gradio",
        spaces__unused="import nothing_at_all",
        spaces__two__app="import gradio",
        backends__types="",
        tests__test_x="",
    )
    assert set(app_files(open_checkout(root), root / "spaces/one")) == {
        "rag/__init__.py", "rag/answer.py", "shared.py", "backends/__init__.py", "backends/types.py",
    }  # fmt: skip


def test_imports_for_type_checkers_are_ignored(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nothing_at_all"
    root = repository(tmp_path, spaces__one__app=text)
    assert app_files(open_checkout(root), root / "spaces/one") == {}


def test_an_unknown_import_is_reported_with_its_line(tmp_path: Path) -> None:
    root = repository(tmp_path, spaces__one__app="import os\nimport nothing_at_all")
    with pytest.raises(StageError, match=r"spaces/one/app.py, line 2: there is no module nothing_at_all"):
        app_files(open_checkout(root), root / "spaces/one")


def test_an_optional_import_may_be_missing(tmp_path: Path) -> None:
    optional = "try:\n    import nothing_at_all, shared\nexcept {error}:\n    nothing_at_all = None"
    for error in ("ImportError", "(ModuleNotFoundError, OSError)", "Exception"):
        folder = tmp_path / error
        folder.mkdir()
        root = repository(folder, spaces__one__app=optional.format(error=error), spaces__shared="")
        assert set(app_files(open_checkout(root), root / "spaces/one")) == {"shared.py"}
    for error in ("KeyError", "ImportError:\n    pass\nimport nothing_at_all\ntry:\n    pass\nexcept KeyError"):
        folder = tmp_path / str(len(error))
        folder.mkdir()
        root = repository(folder, spaces__one__app=optional.format(error=error), spaces__shared="")
        with pytest.raises(StageError, match="there is no module nothing_at_all"):
            app_files(open_checkout(root), root / "spaces/one")


def test_a_module_that_one_file_needs_is_not_optional(tmp_path: Path) -> None:
    optional = "import shared\ntry:\n    import nothing_at_all\nexcept ImportError:\n    pass"
    root = repository(tmp_path, spaces__one__app=optional, spaces__shared="import nothing_at_all")
    with pytest.raises(StageError, match=r"shared.py, line 1: there is no module nothing_at_all"):
        app_files(open_checkout(root), root / "spaces/one")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"sdk_version": "6.31"}, "write all three numbers"),
        ({"sdk_version": "6.30.0"}, "the lock has gradio 6.31.0"),
        ({"colorFrom": "orange"}, "colorFrom is 'orange'"),
        ({"short_description": "x" * 61}, "61 characters"),
        ({"sdk": "streamlit"}, "streamlit runs under docker"),
        ({"app_file": "main.py"}, "names main.py"),
        ({"app_port": 7860}, "docker only"),
        ({"python_version": "3"}, "write 3.x"),
        ({"hardware": "t4-small"}, "through the API"),
        ({"colour": "red"}, "colour isn't a setting"),
        ({"license": None}, "license is missing"),
        ({"custom_headers": {"x-frame-options": "DENY"}}, "x-frame-options"),
        ({"preload_from_hub": ["model"]}, "owner/repo"),
        ({"startup_duration_timeout": "soon"}, "like 30m"),
        ({"short_description": None}, "short_description is None: write a text"),
        ({"short_description": ""}, "short_description is '': write a text"),
        ({"short_description": 5}, "short_description is 5: write a text, in quotes"),
        ({"title": 2026}, "title is 2026"),
        ({"app_file": ["app.py"]}, "app_file is ['app.py']"),
        ({"python_version": 3.1}, "put it in quotes, since YAML reads 3.10 as 3.1"),
        ({"emoji": "none"}, "emoji is 'none'"),
        ({"emoji": 5}, "emoji is 5"),
        ({"emoji": "+"}, "emoji is '+'"),
        ({"emoji": ""}, "emoji is ''"),
        ({"emoji": "📡 radio"}, "an emoji, and nothing else"),
        ({"tags": "a, b"}, "tags is 'a, b': write a list"),
        ({"tags": [1, 2]}, "tags is [1, 2]"),
        ({"models": "gpt2"}, "models is 'gpt2'"),
        ({"colorFrom": None}, "colorFrom is None"),
        ({"colorTo": ["red"]}, "colorTo is ['red']"),
        ({"pinned": "maybe"}, "pinned is 'maybe': write true or false"),
        ({"custom_headers": ["x"]}, "a name and a value on each line"),
        ({"preload_from_hub": 5}, "preload_from_hub is 5"),
    ],
)
def test_front_matter_that_the_hub_refuses(change: dict[str, object], problem: str) -> None:
    assert not front_matter.check(GOOD, {"app.py"}, gradio="6.31.0", zero_gpu=False)
    problems = front_matter.check(GOOD | change, {"app.py"}, gradio="6.31.0", zero_gpu=False)
    assert len(problems) == 1
    assert problem in problems[0]


@pytest.mark.parametrize("emoji", ["📡", "↔️", "◾", "‼️", "❤️", "1️⃣", "🇵🇹", "👩‍🚀", "🏳️‍🌈", "☂"])
def test_every_kind_of_emoji_is_accepted(emoji: str) -> None:
    values = GOOD | {"emoji": emoji, "hf_oauth_authorized_org": "lab"}
    assert not front_matter.check(values, {"app.py"}, gradio="6.31.0", zero_gpu=False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\ufeff---\ntitle: T\n---\n", "begins with a byte order mark"),
        ("---\n5: T\n---\n", "isn't valid YAML"),
        ("---\n\ttitle: T\n---\n", "isn't valid YAML"),
    ],
)
def test_front_matter_that_cannot_be_read(text: str, problem: str) -> None:
    with pytest.raises(StageError, match=problem):
        front_matter.parse(text)


DOCKER = {name: value for name, value in GOOD.items() if name not in ("sdk_version", "python_version", "app_file")}
DOCKER |= {"sdk": "docker", "app_port": 8501}


@pytest.mark.parametrize(
    ("change", "files", "problem"),
    [
        ({}, {"app.py"}, "there is no Dockerfile"),
        ({"app_port": None}, {"Dockerfile"}, "name the port"),
        ({"app_port": "8501"}, {"Dockerfile"}, "name the port"),
        ({"app_port": 70_000}, {"Dockerfile"}, "name the port"),
    ],
)
def test_a_docker_space_that_the_hub_refuses(change: dict[str, object], files: set[str], problem: str) -> None:
    assert not front_matter.check(DOCKER, {"Dockerfile"}, gradio="6.31.0", zero_gpu=False)
    problems = front_matter.check(DOCKER | change, files, gradio="6.31.0", zero_gpu=False)
    assert len(problems) == 1
    assert problem in problems[0]


def test_zero_gpu_does_not_run_docker_spaces() -> None:
    (problem,) = front_matter.check(DOCKER, {"Dockerfile"}, gradio="6.31.0", zero_gpu=True)
    assert "gradio only" in problem


VALID = 'FROM python:3.11-slim\nUSER 1000:1000\nEXPOSE 8501\nCMD ["python", "-m", "streamlit"]\n'


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("python:3.11-slim", "debian:12", "FROM python:3.x"),
        ("EXPOSE 8501", "EXPOSE 7860", "app_port is 8501, but the Dockerfile exposes 7860"),
        ("EXPOSE 8501\n", "", "exposes nothing"),
        ("USER 1000:1000", "USER root", "other than 0"),
        ("USER 1000:1000", "USER 0:0", "other than 0"),
        ('CMD ["python", "-m", "streamlit"]', "CMD python -m streamlit", "exec form"),
        ('"streamlit"]', '"streamlit]', "exec form"),
    ],
)
def test_a_dockerfile_that_does_not_work_on_the_hub(old: str, new: str, problem: str) -> None:
    assert not list(dockerfile.check(DOCKER, dockerfile.parse(VALID)))
    (message,) = dockerfile.check(DOCKER, dockerfile.parse(VALID.replace(old, new)))
    assert problem in message


def test_a_docker_space_is_pinned_for_the_python_of_its_image(tmp_path: Path) -> None:
    space = stage(ROOT, "dashboard", tmp_path / "dashboard")
    assert "python_version" not in space.front_matter
    # Only Python versions older than the one in its Dockerfile need this package.
    assert "tomli" not in space.files["requirements.txt"].read_text()
    assert "streamlit==" in space.files["requirements.txt"].read_text()


@pytest.mark.parametrize(("python", "valid"), [("3.11", False), ("3.12", True), ("3.12.12", True), ("3.10.13", True)])
def test_zero_gpu_has_certain_python_versions(python: str, valid: bool) -> None:
    problems = front_matter.check(GOOD | {"python_version": python}, {"app.py"}, gradio="6.31.0", zero_gpu=True)
    assert (not problems) == valid


@pytest.mark.parametrize("text", ["", "# Title\n", "---\ntitle: [\n---\n", "---\njust text\n---\n"])
def test_a_readme_without_front_matter(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(StageError, match="front matter"):
        front_matter.parse((tmp_path / "README.md").read_text())


def test_requirements_are_pinned_with_their_dependencies() -> None:
    text = requirements.pin_requirements(
        "huggingface_hub>=2\nspaces\n", ROOT / "constraints.txt", python="3.11", zero_gpu=False
    )
    lines = text.splitlines()
    assert "huggingface-hub==2.4.0" in lines
    assert any(line.startswith("httpx2==") for line in lines)
    assert not any(line.startswith("spaces") for line in lines)


def test_a_pin_that_the_lock_would_override_is_refused() -> None:
    for line in ("huggingface_hub<2", "gradio==6.30.0", "numpy==1.0"):
        with pytest.raises(StageError, match=f"asks for {line}, but the lock has"):
            requirements.pin_requirements(line, ROOT / "constraints.txt", python="3.11", zero_gpu=False)
    text = requirements.pin_requirements(
        'huggingface_hub<2; python_version < "3"\n', ROOT / "constraints.txt", python="3.11", zero_gpu=False
    )
    assert "huggingface-hub==2.4.0" in text


def test_torch_is_for_the_cpu_unless_on_zero_gpu() -> None:
    for zero, expected in ((False, True), (True, False)):
        text = requirements.pin_requirements("torch\n", ROOT / "constraints.txt", python="3.11", zero_gpu=zero)
        assert ("whl/cpu" in text) == expected
        assert "torch==2.13.0" in text


@pytest.mark.parametrize("line", ["-r other.txt", "-e .", "./wheel.whl"])
def test_requirements_that_a_space_cannot_install(line: str) -> None:
    with pytest.raises(StageError, match="no -r, no -e"):
        requirements.pin_requirements(line, ROOT / "constraints.txt", python="3.11", zero_gpu=False)


SECRETS = {
    "hub": "token = '" + "hf_" + "a1B2" * 9 + "'",
    "openai": "sk-" + "proj-" + "abcdEFGH1234" * 3,
    "aws": "AKIA" + "ABCDEFGHIJKLMNOP",
    "google": "AIza" + "B" * 35,
    "github": "ghp_" + "a" * 36,
    "key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "address": "postgres://admin:" + "hunter22@db.example.com",
    "assignment": 'API_KEY = "' + "q8Zr5TnW2xLk9VbM" + '"',
    "points": 'token = "' + "q8zr5t.w2xlk9v.kd93msl4" + '"',
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_reported_but_not_repeated(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "app.py"
    path.write_text(f"import os\n{SECRETS[kind]}\n")
    with pytest.raises(ContentError) as caught:
        check_content({"app.py": path})
    assert "app.py, line 2" in str(caught.value)
    assert SECRETS[kind][-12:] not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "${SPACEPORT_GPU_KEY:-}"',
        'token = "your_token_goes_here"',
        "password = None",
        "x = 'hf_short'",
    ],
)
def test_placeholders_are_not_secrets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "app.py"
    path.write_text(text)
    check_content({"app.py": path})


@pytest.mark.parametrize(
    "place",
    [".env", "a/.env.local", "__pycache__/x.pyc", "notes.ipynb", "server.pem", "tests/test_x.py", ".git/config"],
)
def test_some_files_are_never_published(tmp_path: Path, place: str) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(ContentError, match="this kind of file is never published"):
        check_content({place: path})


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    with path.open("wb") as out:
        out.truncate(11_000_000)
    with pytest.raises(ContentError, match="11 MB, the limit for a file is 10"):
        check_content({"model.bin": path})


def test_changed_spaces_are_those_whose_files_changed(tmp_path: Path) -> None:
    root = repository(
        tmp_path,
        spaces__one__app="import backends.types",
        spaces__two__app="import os",
        backends__types="",
    )
    (root / "constraints.txt").touch()
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x"]
    for command in (["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    (root / "backends/types.py").write_text("X = 1\n")
    subprocess.run([*git, "commit", "-qam", "two"], check=True)
    assert changed_spaces(root, "HEAD~1") == ["one"]
    (root / "spaces/two/notes.md").write_text("x")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "three"], check=True)
    assert changed_spaces(root, "HEAD~1") == ["two"]
    assert changed_spaces(root, "HEAD~2") == ["one", "two"]
    assert changed_spaces(root, "0" * 40) == ["one", "two"]  # GitHub sends zeros for a new branch
