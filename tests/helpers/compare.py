"""Actions of a visitor on the comparator's page, in a browser."""

from __future__ import annotations

from playwright.sync_api import Page


def open_details(page: Page, tab: str) -> None:
    """Open a tab of a run's details; on a phone, it's in a menu."""
    button = page.locator("#details").get_by_role("tab", name=tab)
    if not button.is_visible():
        page.locator("#details .overflow-menu > button").click()
        button = page.locator("#details .overflow-dropdown button", has_text=tab)
    button.click()
