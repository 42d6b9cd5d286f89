"""What Gradio keeps for each session."""

from __future__ import annotations

from typing import Any


def keep_no_configurations() -> None:
    """Keep Gradio from making the configuration of the whole page for each session, with all values it was sent.

    That is for links to stored pages, whose route is closed (see `ui.access.routes`). It took 12 ms of the event loop
    for each new page, and the memory of each conversation that a page shows, for as long as the session is remembered.
    """
    from gradio.blocks import BlocksConfig

    make_config = BlocksConfig.config_for_block

    def config_for_block(block_id: int, rendered_ids: list[int], block: Any, *renderable: Any) -> dict[str, Any]:
        # The page's own configuration has a last argument, a session's hasn't.
        return make_config(block_id, rendered_ids, block, *renderable) if renderable else {}

    BlocksConfig.config_for_block = staticmethod(config_for_block)  # type: ignore[method-assign, assignment]
