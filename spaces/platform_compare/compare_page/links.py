"""Links to runs: a button that shares the shown run, and the run that the page's address names."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any

import gradio as gr

from backends import SpaceportError
from compare.interactive.service import ComparisonService
from compare_page import scripts, strings
from compare_page.events import PRIVATE, VISITOR, VisitorIdentity
from ui.middleware.refusals import Refusal, refusal

MEASURE = "measure"  # the id of the tab that shows runs


class RunLinks:
    """Creates its components where it is constructed; the page calls `open_link` when it is opened."""

    def __init__(self, service: ComparisonService, identity: VisitorIdentity, run: gr.Dropdown) -> None:
        self.service = service
        self._identity = identity
        share = gr.Button(strings.SHARE, size="sm", elem_id="share")
        texts = gr.Checkbox(label=strings.SHARE_TEXTS, elem_id="share-texts")
        box = gr.Textbox(
            visible=False, label=strings.LINK, info=strings.LINK_INFO, interactive=False, buttons=["copy"],
            max_lines=1, elem_id="link",
        )  # fmt: skip
        name = gr.Textbox(visible=False)
        event = share.click(self.share_run, [identity.key, run, texts], [name, box], concurrency_limit=None, **VISITOR)
        event.success(None, name, box, js=scripts.LINK_JS, **PRIVATE)

    async def share_run(self, key: str, name: str | None, with_texts: bool, request: gr.Request) -> tuple[str, Any]:
        """Store the run for everybody with its link, and show the box for it; its texts only if asked for."""
        if not name:
            raise Refusal(strings.NO_RUN)
        visitor, caller = self._identity.visitor(key, request), self._identity.caller(key, request)
        try:
            await asyncio.to_thread(self.service.admission.take_question, caller)
            link = await self.service.admission.view(caller, self.service.share_run, visitor, name, with_texts)
        except SpaceportError as error:
            raise refusal(error) from error
        return link, gr.Textbox(visible=True)

    async def open_link(self, key: str, link: str, request: gr.Request) -> tuple[Any, Any]:
        """Open the run that the page's address names, and show its tab."""
        if not link:
            return gr.skip(), gr.skip()
        visitor, caller = self._identity.visitor(key, request), self._identity.caller(key, request)
        try:
            name = await self.service.admission.view(caller, self.service.open_shared_run, visitor, link)
        except SpaceportError as error:
            gr.Warning(escape(str(error)))
            return gr.skip(), gr.skip()
        return gr.Dropdown(choices=self.service.run_names(visitor), value=name), gr.Tabs(selected=MEASURE)
