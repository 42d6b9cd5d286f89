"""Attacks on what the publisher stages: links to secrets, files that git doesn't track, and well-known places."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from publishing.errors import ContentError, StageError
from publishing.staging.content_check import check_content
from publishing.staging.stage import stage
from scripts import publish_space

README = """---
title: Demo
sdk: gradio
sdk_version: 6.31.0
python_version: "3.11"
app_file: app.py
license: apache-2.0
---
"""
SECRET = "canary-2f81d4"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one Space, all of it in git, and a secret beside it that git ignores."""
    folder = tmp_path / "repository"
    files = {
        "spaces/demo/app.py": "import shared\n",
        "spaces/demo/README.md": README,
        "spaces/demo/requirements.txt": "",
        "spaces/demo/corpus/text.md": "A text.\n",
        "spaces/shared/__init__.py": "",
        "constraints.txt": "gradio==6.31.0\n",
        "LICENSE": "Apache-2.0\n",
        ".gitignore": ".env\n*.log\n",
        ".env": f"KEY={SECRET}\n",
    }
    for name, text in files.items():
        write(folder / name, text)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *arguments], check=True)


def staged(root: Path, *include: str) -> set[str]:
    """Stage the Space, hold it against the secret, and return the paths of its files."""
    files = stage(root, "demo", root.parent / "staged", **({"include": include} if include else {})).files
    assert not [name for name, path in files.items() if SECRET in path.read_text()]
    return set(files)


def replace_by_link(path: Path, target: str) -> None:
    if path.is_dir():
        path.rename(path.with_name("elsewhere"))
    else:
        path.unlink()
    path.symlink_to(target)


LINKS: dict[str, Callable[[Path], object]] = {
    "spaces/demo/corpus/extra.md": lambda path: path.symlink_to("../../../.env"),
    "spaces/demo/more": lambda path: path.symlink_to("../.."),
    "spaces/demo/README.md": lambda path: replace_by_link(path, "../../.env"),
    "spaces/demo/requirements.txt": lambda path: replace_by_link(path, "../../.env"),
    "spaces/demo/gone.md": lambda path: path.symlink_to("nowhere"),
    "spaces/shared/extra.txt": lambda path: path.symlink_to("../../.env"),
    "LICENSE": lambda path: replace_by_link(path, ".env"),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_in_git_publishes_nothing_of_what_it_points_to(root: Path, name: str) -> None:
    LINKS[name](root / name)
    git(root, "add", "-A")
    with pytest.raises(StageError, match=f"^{name} is a symbolic link.* Replace it with a copy"):
        staged(root)


@pytest.mark.parametrize("name", ["spaces/demo/corpus/text.md", "spaces/demo/corpus", "spaces/shared"])
def test_a_file_or_folder_that_became_a_link_is_refused(root: Path, name: str) -> None:
    outside = write(root.parent / "outside/__init__.py", f"# {SECRET}\n").parent
    replace_by_link(root / name, str(outside))
    with pytest.raises(StageError, match=f"^{name} is a symbolic link"):
        staged(root)


def test_a_link_that_git_does_not_track_is_not_staged(root: Path) -> None:
    (root / "spaces/demo/corpus/extra.md").symlink_to("../../../.env")
    assert "corpus/extra.md" not in staged(root)


@pytest.mark.parametrize(
    "name",
    [
        ".streamlit/secrets.toml", ".aws/credentials", ".kube/config", "id_ed25519", "_netrc", "notes.txt", "debug.log",
        ".cache/huggingface/token", "corpus/draft.md", ".hidden/x.json",
    ],
)  # fmt: skip
def test_files_that_git_does_not_track_are_not_staged(root: Path, name: str) -> None:
    before = staged(root)
    write(root / "spaces/demo" / name, SECRET)
    write(root / "spaces/shared" / name, SECRET)
    assert staged(root) == before
    left_out = stage(root, "demo", root.parent / "staged").left_out
    assert left_out == (() if name == "debug.log" else (f"spaces/demo/{name}",))


def test_a_module_that_git_does_not_track_is_named_with_a_remedy(root: Path) -> None:
    write(root / "spaces/demo/app.py", "import late\n")
    write(root / "spaces/demo/late.py", "")
    with pytest.raises(StageError, match=r"spaces/demo/late.py isn't tracked by git.*git add spaces/demo/late.py"):
        staged(root)


def test_outside_a_checkout_nothing_is_staged(root: Path) -> None:
    (root / ".git").rename(root.parent / "git")
    with pytest.raises(StageError, match=r"isn't a checkout of git.*Clone the repository"):
        staged(root)


def test_a_named_file_is_staged(root: Path) -> None:
    write(root / "spaces/demo/model.log", "large\n")
    write(root / "spaces/demo/other.log", "large\n")
    assert staged(root, "spaces/demo/model.log") == staged(root) | {"model.log"}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("spaces/demo/corpus", "isn't a file"),
        ("../outside.md", "isn't a file of the repository"),
        ("/etc/passwd", "isn't a file of the repository"),
        ("spaces/demo/nothing.md", "There is no file"),
        (".env", "isn't in a folder of the Space"),
        ("spaces/demo/link.log", "symbolic link"),
    ],
)
def test_only_a_file_of_the_space_can_be_named(root: Path, name: str, problem: str) -> None:
    (root / "spaces/demo/link.log").symlink_to("../../.env")
    with pytest.raises(StageError, match=problem):
        staged(root, name)


def test_a_named_file_is_checked_like_all_others(root: Path) -> None:
    write(root / "spaces/demo/.env", "A=1\n")
    files = stage(root, "demo", root.parent / "staged", include=["spaces/demo/.env"]).files
    with pytest.raises(ContentError, match="never published"):
        check_content(files)


def test_files_are_named_for_one_space_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert publish_space.main(["--all", "--include", "spaces/chat_rag/x.md"]) == 1
    assert "--include is for one Space" in capsys.readouterr().err


PLACES = [
    ".env", ".env.local", ".env.production", "a/.env", "a/prod.env", ".envrc", ".streamlit/secrets.toml",
    "secrets.toml", "secrets.yaml", "secrets.json", "secrets/db.txt", ".aws/credentials", ".aws/config",
    "credentials", "credentials.json", "my_credentials.csv", "client_secret_1.json", "service-account.json",
    "my_service_account_key.json", "app-firebase-adminsdk-x.json", "application_default_credentials.json",
    "gcloud/credentials.db", ".boto", ".s3cfg", "accessKeys.csv", "bot_accessKeys.csv", "rootkey.csv",
    ".azure/accessTokens.json", ".kube/config", "kubeconfig", "kubeconfig.yaml", ".ssh/config",
    ".ssh/known_hosts", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "ID_ED25519", "id_rsa.bak", "id_ecdsa_sk",
    "server.pem", "server.key", "SERVER.KEY", "cert.p12", "cert.pfx", "key.p8", "key.ppk", "store.jks",
    "store.keystore", "db.kdbx", "key.asc", ".gnupg/secring.gpg", ".netrc", "_netrc",
    ".cache/huggingface/token", "huggingface/token", ".huggingface/token", "stored_tokens", ".git-credentials",
    ".config/gh/hosts.yml", ".npmrc", ".yarnrc.yml", ".pypirc", ".dockercfg", ".docker/config.json",
    "nuget.config", ".m2/settings.xml", ".pgpass", ".my.cnf", ".databrickscfg", ".kaggle/kaggle.json",
    "kaggle.json", ".modal.toml", "rclone.conf", ".openai", "terraform.tfstate", "terraform.tfstate.backup",
    "prod.tfvars", ".terraform/x", ".terraformrc", ".vault-token", ".vault_pass", ".htpasswd", "htpasswd",
    "passwords.txt", ".bash_history", ".python_history", ".psql_history", "cookies.sqlite", "logins.json",
    "key4.db", ".jupyter/jupyter_server_config.json", "notes.ipynb", "tests/test_x.py", "__pycache__/x.pyc",
    ".git/config",
]  # fmt: skip
HARMLESS = [
    "app.py", ".env.example", "tokens.py", "secrets.py", "credentials.py", "keyboard.md", "environment.py",
    ".streamlit/config.toml", "id_rsa.pub", "data/token_counts.json", "monkey.txt", "history.md",
    "results/run.jsonl", "results/run.json", "page.css", "Dockerfile", ".gitignore",
]  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_place_of_secrets_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContentError, match="this kind of file is never published"):
        check_content({name: write(tmp_path / "file", "x")})


def test_names_that_only_look_like_secrets_are_published(tmp_path: Path) -> None:
    check_content(dict.fromkeys(HARMLESS, write(tmp_path / "file", "x")))


def test_a_link_in_the_staged_folder_is_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # reading it would block
    link = tmp_path / "text.md"
    link.symlink_to("pipe")
    with pytest.raises(ContentError, match=r"text.md: a symbolic link"):
        check_content({"text.md": link})
