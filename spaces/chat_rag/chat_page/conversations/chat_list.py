"""The list of conversations as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chat_page.conversations.listing import ListedConversation
from chat_page.translations.languages import strings

# Each answer draws the list again; a search finds the others.
MAX_LISTED = 200


def chat_list_html(
    chats: Sequence[ListedConversation], current: str, *, search: str = "", unfollowed: bool = False
) -> str:
    """Return the list with buttons that open, rename and delete; `current` is the id of the page's conversation.

    `unfollowed` if an answer is being written to it that the page doesn't show yet. chat_list.js reads what it must
    know from the element's data.
    """
    words = strings()
    listed = chats[:MAX_LISTED]
    reached_by_tab = next((chat.id for chat in listed if chat.id == current), listed[0].id if listed else "")
    items = "".join(_item(chat, chat.id == current, chat.id == reached_by_tab) for chat in listed)
    empty = words.no_chats_match if search.strip() else words.no_chats
    body = f"<ul>{items}</ul>" if items else f'<p class="sp-note">{escape(empty)}</p>'
    if (more := len(chats) - MAX_LISTED) > 0:
        body += f'<p class="sp-note">{escape(words.fill(words.more_chats, count=more))}</p>'
    data = {"current": current, "confirm": words.confirm_delete_chat, "name": words.chat_name}
    if unfollowed:
        data["unfollowed"] = ""
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    return f'<nav class="sp-chats" aria-label="{escape(words.chats)}"{attributes}>{body}</nav>'


def _item(chat: ListedConversation, current: bool, reached_by_tab: bool) -> str:
    """A line; the arrow keys reach the others, so that a list of hundreds isn't in the way of the Tab key."""
    words = strings()
    title = escape(chat.title)
    rename, delete = (escape(label.format(title=chat.title)) for label in (words.rename_chat, words.delete_chat))
    line, mark = ('<li class="sp-current">', ' aria-current="page"') if current else ("<li>", "")
    button = '<button type="button"' if reached_by_tab else '<button type="button" tabindex="-1"'
    return (
        f'{line}{button} class="sp-chat" data-chat="{escape(chat.id)}" title="{title}"{mark}>{title}</button>'
        f'{button} data-rename aria-label="{rename}" title="{rename}">&#9998;</button>'
        f'{button} data-delete aria-label="{delete}" title="{delete}">&times;</button></li>'
    )
