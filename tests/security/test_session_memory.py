"""What Gradio keeps for each session that a client invents."""

from __future__ import annotations

import gradio as gr
from gradio.state_holder import SessionState

from ui.session_state import keep_no_configurations


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
