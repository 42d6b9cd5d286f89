"""What a page that was published with documents says about itself, in a page.toml beside its app.py."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backends import NotConfigured

FILE = "page.toml"
MAX_TITLE = 80
MAX_DESCRIPTION = 60  # of a Space's short_description
MAX_EXAMPLES, MAX_EXAMPLE = 6, 200
_REMEDY = "It has title, description, and a list of examples: questions that the documents answer."


@dataclass(frozen=True, slots=True)
class PageText:
    """The page's title, a line below it, and the questions that it suggests; link previews show the first two.

    `picture` is the file that link previews show, beside the file with these texts; the publisher reads it. `library`
    is the folder of the documents if they aren't beside the app, and `library_commit` the commit of their dataset that
    is mounted there, so that a rollback finds it; the publisher writes both.
    """

    title: str
    description: str
    examples: tuple[str, ...] = ()
    picture: str = ""
    library: str = ""
    library_commit: str = ""

    @property
    def toml(self) -> str:
        """The file with these texts; a text of JSON is one of TOML, too."""
        values = {name: value for name, value in asdict(self).items() if value and name != "examples"}
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()]
        examples = "".join(f"  {json.dumps(text, ensure_ascii=False)},\n" for text in self.examples)
        return "".join([*lines, f"examples = [\n{examples}]\n" if examples else ""])


def read_page_text(path: Path) -> PageText | None:
    """Return the texts in a file, or None if there is none; `NotConfigured` names what is wrong with them."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NotConfigured(f"{path} can't be read ({error}).", _REMEDY) from error
    if problem := _problem(values):
        raise NotConfigured(f"{path}: {problem}", _REMEDY)
    return PageText(**values | {"examples": tuple(values.get("examples", ()))})


def _problem(values: dict[str, Any]) -> str:
    unknown = values.keys() - {"title", "description", "examples", "picture", "library", "library_commit"}
    if unknown:
        return f"{', '.join(sorted(unknown))} isn't a setting."
    for name, limit in (("title", MAX_TITLE), ("description", MAX_DESCRIPTION)):
        if not _is_line(values.get(name), limit):
            return f"{name} must be a line of 1 to {limit} characters."
    for name, kind in (("picture", "file"), ("library", "folder"), ("library_commit", "commit")):
        if not isinstance(values.get(name, ""), str):
            return f"{name} must be the name of a {kind}."
    examples = values.get("examples", [])
    is_list = isinstance(examples, list) and len(examples) <= MAX_EXAMPLES
    if not (is_list and all(_is_line(text, MAX_EXAMPLE) for text in examples)):
        return f"examples must be up to {MAX_EXAMPLES} lines of 1 to {MAX_EXAMPLE} characters."
    return ""


def _is_line(text: object, limit: int) -> bool:
    return isinstance(text, str) and len(text.strip()) > 0 and len(text) <= limit and text.isprintable()
