"""What the pages' widgets send: Streamlit logs a traceback about a value of another type, for each message."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from dashboard_pages import strings

if TYPE_CHECKING:
    from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

# The key of each widget of the pages, with the field of its values. A test compares them with the pages. Streamlit's
# page sends a whole number as an integer where the server declares a double.
FIELDS = {
    "question": "chat_input_value",
    "target": "string_value",
    "max_tokens": "double_value",
    "temperature": "double_array_value",
    "top_p": "double_array_value",
    "seed": "double_value",
    "system": "string_value",
    **dict.fromkeys((f"example-{number}" for number in range(len(strings.EXAMPLES))), "trigger_value"),
    "clear": "trigger_value",
    "export": "trigger_value",
    "span": "string_array_value",
    "run": "string_value",
    "upload": "file_uploader_state_value",
    **dict.fromkeys(("download.html", "download.jsonl", "download.csv", "download.md"), "trigger_value"),
    "bill_group": "string_array_value",
    "bill_month": "string_value",
    "download.ledger": "trigger_value",
}


def are_valid(states: WidgetStates) -> bool:
    """Return whether each state belongs to a widget of the pages and has its type."""
    return len(states.widgets) <= len(FIELDS) and all(map(_is_valid, states.widgets))


def _is_valid(state: WidgetState) -> bool:
    field = state.WhichOneof("value")
    if field is None:  # an empty field
        return True
    key = state.id.split("-", 2)[-1]  # of `$$ID-HASH-KEY`
    if field == "int_value":
        return FIELDS.get(key) == "double_value"
    return field == FIELDS.get(key) and (field != "double_value" or isfinite(state.double_value))
