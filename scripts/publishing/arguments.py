"""The arguments of `publish_space.py`."""

from __future__ import annotations

import argparse
from pathlib import Path

from publishing.staging.stage import space_names


def build_parser(description: str, root: Path) -> argparse.ArgumentParser:
    """Return the parser; `root` is the checkout whose Spaces are published unless another one is named."""
    parser = argparse.ArgumentParser(
        prog="publish_space.py", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    _add_selection(parser, root)
    _add_steps(parser)
    _add_settings(parser)
    parser.add_argument("--timeout", type=float, default=2400.0, help="seconds to wait for the Space (2400)")
    parser.add_argument("--poll", type=float, default=3.0, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the outcome of each Space as JSON")
    return parser


def _add_selection(parser: argparse.ArgumentParser, root: Path) -> None:
    """Add the options that select Spaces, previews and files."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("spaces", nargs="*", default=[], metavar="SPACE", help=f"{', '.join(space_names(root))}")
    which.add_argument("--all", action="store_true", help="every Space")
    which.add_argument(
        "--changed", nargs="?", const="HEAD~1", metavar="SINCE", help="the Spaces whose files changed since (HEAD~1)"
    )
    which.add_argument(
        "--static", type=_path, metavar="FILE", help="an HTML page, such as a downloaded chat, as a static Space"
    )
    parser.add_argument(
        "--root", type=_path, default=root, metavar="FOLDER", help="the checkout with the Spaces (this one)"
    )
    parser.add_argument("--repo", metavar="OWNER/NAME", help="the Space to publish to; for one Space only")
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PATH",
        help="also a file that git doesn't track; one Space only",
    )
    parser.add_argument(
        "--documents",
        type=_path,
        metavar="FOLDER",
        help="documents, or a library of them, that the Space answers from; one Space only",
    )
    parser.add_argument(
        "--page",
        type=_path,
        metavar="FILE",
        help="the title, description and questions of their page; a plan shows the ones made from the documents",
    )
    parser.add_argument("--owner", metavar="NAME", help="an organisation, instead of your own account")
    parser.add_argument("--preview", type=int, metavar="N", help="a private Space NAME-pr-N for a pull request")
    parser.add_argument("--delete-preview", action="store_true", help="delete the Space of --preview")
    parser.add_argument(
        "--prune-previews", type=float, metavar="DAYS", help="delete previews without a commit in the last DAYS"
    )


def _add_steps(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which steps to take."""
    parser.add_argument("--apply", action="store_true", help="make the changes; without it, only print the plan")
    parser.add_argument(
        "--public-documents", action="store_true", help="send the documents, although others can then read them"
    )
    parser.add_argument("--yes", action="store_true", help="don't ask before deleting more than a third of the files")
    parser.add_argument(
        "--rollback", action="store_true", help="restore the files and documents from before the last commit"
    )
    parser.add_argument(
        "--on-failure", choices=("keep", "rollback"), default="keep", help="if the new commit fails (keep)"
    )
    parser.add_argument("--no-try", action="store_true", help="don't start the staged app before sending it")
    parser.add_argument("--no-wait", action="store_true", help="don't wait until the Space runs the new commit")
    parser.add_argument("--no-smoke", action="store_true", help="don't call the Space's API at the end")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that change a Space's settings."""
    parser.add_argument("--private", action="store_true", help="create the Space as private")
    parser.add_argument("--hardware", metavar="NAME", help="cpu-basic, zero-a10g, t4-small …")
    parser.add_argument("--sleep", type=int, metavar="SECONDS", help="sleep after so many seconds without visitors")
    parser.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE", help="a variable of the Space")
    parser.add_argument(
        "--secret", action="append", default=[], metavar="NAME", help="a secret, with the value of $NAME here"
    )
    parser.add_argument("--replace-secrets", action="store_true", help="overwrite secrets that exist")


def _path(text: str) -> Path:
    return Path(text).resolve()
