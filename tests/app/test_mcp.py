"""The MCP server: one tool, which stores nothing, if it is switched on."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.conftest import missing
from tests.helpers.apps import App

OFFICE = {"office.txt": "The harbour office opens at nine in the morning."}
QUESTION = "When does the harbour office open?"


async def test_an_agent_asks_documents_through_the_tool(start_app: Callable[..., App], catalog: Path) -> None:
    try:
        from mcp import ClientSession
        from mcp.client.streamable_http import streamable_http_client
    except ImportError:
        missing("the package mcp")
    app = start_app("--catalog", str(catalog), SPACEPORT_MCP="1")
    async with (
        streamable_http_client(f"{app.url}/gradio_api/mcp/") as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        [tool] = (await session.list_tools()).tools
        assert tool.name.endswith("ask_documents")
        assert "passages that support the answer" in (tool.description or "")
        assert set(tool.inputSchema["properties"]) == {"question", "documents", "target"}
        result = await session.call_tool(tool.name, {"question": QUESTION, "documents": OFFICE, "target": "scripted"})
    assert not result.isError
    answer = ast.literal_eval(result.content[0].text)  # Gradio writes a dict as Python does
    assert answer["answer"].startswith("word0")
    assert answer["abstained"] is False


def test_the_server_is_off_by_default(app: App) -> None:
    assert httpx2.post(f"{app.url}/gradio_api/mcp/", json={}).status_code in (404, 405)


def test_a_page_with_a_login_has_no_mcp_server(start_app: Callable[..., App], catalog: Path) -> None:
    """Gradio's server would list its tools to everybody, and could call none of them."""
    with pytest.raises(AssertionError, match="SPACEPORT_MCP doesn't work with SPACEPORT_AUTH"):
        start_app("--catalog", str(catalog), SPACEPORT_MCP="1", SPACEPORT_AUTH="ada:secret")
