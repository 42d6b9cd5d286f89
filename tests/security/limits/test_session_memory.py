"""What Gradio keeps for each session that a client invents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import fastapi
import gradio as gr
from gradio.queueing import Queue
from gradio.state_holder import SessionState
from httpx2 import ASGITransport, AsyncClient

from ui.middleware.public_blocks import PublicBlocks
from ui.session_state import UNREAD_SECONDS, UnreadMessages, keep_no_configurations


@asynccontextmanager
async def started(event: Callable[[], AsyncIterator[str]], session: str) -> AsyncIterator[tuple[Queue, AsyncClient]]:
    """Serve a page with one event in this event loop, and start the event in a session."""
    with PublicBlocks() as page:
        gr.Button().click(event, None, gr.Textbox())
    page.queue()
    app = gr.mount_gradio_app(fastapi.FastAPI(), page, path="")
    client = AsyncClient(transport=ASGITransport(app), base_url="http://test")
    async with app.router.lifespan_context(app), client:
        body = {"data": [], "fn_index": 0, "session_hash": session}
        answer = await client.post("/gradio_api/queue/join", json=body)
        assert answer.status_code == 200, answer.text
        yield page._queue, client
    page.close()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - Gradio tells nobody
            await asyncio.sleep(0.01)


async def test_a_session_keeps_no_configuration_of_the_page_and_no_values() -> None:
    keep_no_configurations()
    with gr.Blocks() as page:
        box = gr.Textbox("at first", label="Question")
        files = gr.UploadButton("Add", file_count="multiple")
        box.change(lambda text: (text, gr.UploadButton(visible=False)), box, [box, files])
    session = SessionState(page)
    output = await page.process_api(page.fns[0], ["x" * 1000], state=session)
    assert output["data"][0] == "x" * 1000
    assert not any(session.config_values.values())
    components = {each["id"]: each["props"] for each in page.get_config_file()["components"]}
    assert (components[box._id]["label"], components[box._id]["value"]) == ("Question", "at first")


async def test_messages_that_nobody_reads_are_dropped_and_their_event_stops() -> None:
    steps = 0

    async def count() -> AsyncIterator[str]:
        nonlocal steps
        while True:
            steps += 1
            yield "x" * steps
            await asyncio.sleep(0.01)

    async with started(count, "left") as (queue, _):
        await until(lambda: steps > 10)
        unread = UnreadMessages(queue)
        await unread.drop(now=0)
        await unread.drop(now=UNREAD_SECONDS - 1)
        assert queue.pending_messages_per_session["left"].qsize() > 10
        await unread.drop(now=UNREAD_SECONDS)
        assert not queue.pending_messages_per_session
        assert not queue.pending_event_ids_session
        await until(lambda: not any(queue.active_jobs))


async def test_a_session_whose_messages_are_read_keeps_them_and_leaves_nothing() -> None:
    async def count() -> AsyncIterator[str]:
        for number in range(100):
            yield str(number)
            await asyncio.sleep(0.01)

    async with started(count, "here") as (queue, client):
        unread = UnreadMessages(queue)
        reader = asyncio.create_task(client.get("/gradio_api/queue/data", params={"session_hash": "here"}))
        for now in range(10):
            await asyncio.sleep(0.05)
            await unread.drop(now * UNREAD_SECONDS)
        stream = (await reader).text
        assert "process_completed" in stream
        assert "session_not_found" not in stream
        await unread.drop(now=0)
        assert not queue.pending_messages_per_session
        assert not queue.pending_event_ids_session


async def test_an_event_that_starts_while_an_idle_session_is_forgotten_is_heard_of() -> None:
    async def greet() -> AsyncIterator[str]:
        yield "hello"

    async with started(greet, "back") as (queue, client):
        stream = {"params": {"session_hash": "back"}}
        assert "hello" in (await client.get("/gradio_api/queue/data", **stream)).text
        async with queue.delete_lock:  # as while Gradio chooses the next event
            forgetting = asyncio.create_task(UnreadMessages(queue).drop(now=0))
            await asyncio.sleep(0)
            body = {"data": [], "fn_index": 0, "session_hash": "back"}
            joining = asyncio.create_task(client.post("/gradio_api/queue/join", json=body))
            await asyncio.sleep(0.2)
        await forgetting
        assert (await joining).status_code == 200
        async with asyncio.timeout(10):
            assert "hello" in (await client.get("/gradio_api/queue/data", **stream)).text


async def test_a_page_that_nobody_uses_rarely_looks_for_events() -> None:
    async def greet() -> AsyncIterator[str]:
        yield "hello"

    async with started(greet, "idle") as (queue, client):
        assert "hello" in (await client.get("/gradio_api/queue/data", params={"session_hash": "idle"})).text
        assert min(queue.sleep_when_free, queue.progress_update_sleep_when_free) >= 0.01
