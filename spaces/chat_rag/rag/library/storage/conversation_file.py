"""The file of a conversation: a line of JSON with what the list shows, and a line with the rest.

A list of hundreds reads only the first lines.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from typing import Any

logger = logging.getLogger(__name__)
_ID = re.compile(r"[0-9a-f]{16}")


def new_conversation_id() -> str:
    """Return an id that no other conversation has. It's no secret: only its visitor's key opens the conversation."""
    return secrets.token_hex(8)


def is_conversation_id(value: object) -> bool:
    """Return whether a value has the form of an id."""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def conversation_data(head: Any, body: Any) -> bytes:
    """Return the content of the file."""
    return f"{json.dumps(head)}\n{json.dumps(body)}\n".encode()


def parse_conversation(data: bytes) -> tuple[Any, Any]:
    """Return the head and the body; `ValueError` if the file is damaged."""
    head, separator, body = data.partition(b"\n")
    if not separator:
        raise ValueError("the file is cut off")
    try:
        return json.loads(head), json.loads(body)
    except RecursionError as error:
        raise ValueError("the file is nested too deeply") from error


def parse_head(line: bytes) -> Any:
    """Return the value of a line of JSON, None if it's damaged."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        logger.warning("A stored conversation is damaged.")
        return None
