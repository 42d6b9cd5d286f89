"""The MCP server: two tools, which store nothing, if it is switched on."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from publishing.staging.stage import stage
from tests.conftest import ROOT
from tests.helpers.apps import App

if TYPE_CHECKING:
    from mcp import ClientSession

OFFICE = {"office.txt": "The harbour office opens at nine in the morning."}
QUESTION = "When does the harbour office open?"


@asynccontextmanager
async def agent(url: str) -> AsyncIterator[ClientSession]:
    """A client of the page's MCP server."""
    from mcp import ClientSession  # half a second in each test process that collects this module
    from mcp.client.streamable_http import streamable_http_client

    async with (
        streamable_http_client(f"{url}/gradio_api/mcp/") as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


async def call(session: ClientSession, name: str, **arguments: Any) -> Any:
    """Return the result of a tool by the end of its name."""
    tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    [full_name] = [each for each in tools if each.endswith(name)]
    result = await session.call_tool(full_name, arguments)
    assert not result.isError, result
    return ast.literal_eval(result.content[0].text)  # Gradio writes a dict as Python does


async def test_an_agent_asks_and_searches_documents_of_a_published_space_through_tools(
    start_app: Callable[..., App], catalog: Path, tmp_path: Path
) -> None:
    folder = stage(ROOT, "chat_rag", tmp_path / "chat_rag").folder
    app = start_app("--catalog", str(catalog), space=folder / "app.py", cwd=folder, SPACEPORT_MCP="1")
    async with agent(app.url) as session:
        ask, search = (await session.list_tools()).tools
        assert ask.name.endswith("ask_documents")
        assert search.name.endswith("search_documents")
        assert "passages that support the answer" in (ask.description or "")
        assert set(ask.inputSchema["properties"]) == {"question", "documents", "target"}
        assert set(search.inputSchema["properties"]) == {"question", "documents", "passages"}
        answer = await call(session, "ask_documents", question=QUESTION, documents=OFFICE, target="scripted")
        assert answer["answer"].startswith("word0")
        assert answer["abstained"] is False
        [passage] = await call(session, "search_documents", question=QUESTION, documents=OFFICE)
        assert (passage["document"], passage["passage"]) == ("office.txt", OFFICE["office.txt"])
        samples = await call(session, "search_documents", question="exclusion zone", passages=2)
        assert len(samples) == 2
        assert "exclusion zone" in samples[0]["passage"]


def test_the_server_is_off_by_default(app: App) -> None:
    assert httpx2.post(f"{app.url}/gradio_api/mcp/", json={}).status_code in (404, 405)


def test_a_page_with_a_login_has_no_mcp_server(start_app: Callable[..., App], catalog: Path) -> None:
    """Gradio's server would list its tools to everybody, and could call none of them."""
    with pytest.raises(AssertionError, match="SPACEPORT_MCP doesn't work with SPACEPORT_AUTH"):
        start_app("--catalog", str(catalog), SPACEPORT_MCP="1", SPACEPORT_AUTH="ada:secret")
