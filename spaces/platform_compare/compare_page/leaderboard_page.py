"""The leaderboard tab: published results of many runs, which filters select."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from backends import SpaceportError
from compare.interactive.service import ComparisonService
from compare.publish.leaderboard import Filters, Order, select, workloads
from compare.publish.leaderboard_view import leaderboard_html
from compare.publish.published import PublishedResults
from compare_page import strings
from compare_page.events import VISITOR, VisitorIdentity
from ui.middleware.refusals import refusal

MAX_SEARCH_CHARACTERS = 200


class LeaderboardPage:
    """Creates its components where it is constructed; the results are read when somebody opens the tab."""

    def __init__(
        self, service: ComparisonService, identity: VisitorIdentity, published: PublishedResults, tab: gr.Tab
    ) -> None:
        self._service = service
        self._identity = identity
        self._published = published
        link = f'<a href="{escape(published.address)}" target="_blank" rel="noopener">{escape(published.name)}</a>'
        gr.HTML(f'<p class="sp-lead">{strings.LEADERBOARD_LEAD} {link}</p>')
        with gr.Row(elem_id="leaderboard-filters"):
            self.text = gr.Textbox(
                label=strings.SEARCH, placeholder=strings.SEARCH_PLACEHOLDER, max_length=MAX_SEARCH_CHARACTERS,
                elem_id="leaderboard-search", min_width=200,
            )  # fmt: skip
            self.workload = gr.Dropdown(
                [strings.ALL_WORKLOADS], value=strings.ALL_WORKLOADS, label=strings.WORKLOADS, min_width=200
            )
            orders = [(label, order) for order, label in strings.ORDERS.items()]
            self.order = gr.Dropdown(orders, value=Order.NEWEST, label=strings.ORDER, min_width=200)
            with gr.Column(min_width=200):
                self.only_judged = gr.Checkbox(label=strings.ONLY_JUDGED)
                self.only_clean = gr.Checkbox(label=strings.ONLY_CLEAN)
        self.table = gr.HTML("", elem_id="leaderboard")
        filters: list[Any] = [self.text, self.workload, self.order, self.only_judged, self.only_clean]
        inputs, outputs = [identity.key, *filters], [self.table, self.workload]
        waiting: dict[str, Any] = {"concurrency_limit": None, **VISITOR}
        tab.select(self.show, inputs, outputs, **waiting)
        # "change" of the list of workloads would come back from `show`, which fills it.
        changes = [self.text.change, *(each.input for each in filters[1:])]
        gr.on(changes, self.show, inputs, outputs, trigger_mode="always_last", **waiting)

    async def show(
        self, key: str, text: str, workload: str, order: str, only_judged: bool, only_clean: bool, request: gr.Request
    ) -> tuple[str, Any]:
        """Show the rows that the filters let through, and offer the workloads that there are."""
        only_workload = "" if workload == strings.ALL_WORKLOADS else workload
        filters = Filters(text[:MAX_SEARCH_CHARACTERS], only_workload, only_judged, only_clean)
        first = Order(order) if order in list(Order) else Order.NEWEST
        try:
            return await self._service.admission.view(
                self._identity.caller(key, request), self._draw, filters, first, workload
            )
        except SpaceportError as error:
            raise refusal(error) from error

    def _draw(self, filters: Filters, order: Order, workload: str) -> tuple[str, Any]:
        results, error = self._published.read()
        problem = f'<p class="sp-note sp-bad" role="alert">{escape(str(error))}</p>' if error else ""
        if results is None:
            return problem, gr.skip()
        offered = workloads(results.rows)
        choices = [(strings.ALL_WORKLOADS, strings.ALL_WORKLOADS), *((name, value) for value, name in offered.items())]
        value = workload if workload in offered else strings.ALL_WORKLOADS
        table = leaderboard_html(results, select(results.rows, filters, order))
        return problem + table, gr.Dropdown(choices=choices, value=value)
