"""The responses API, the messages API and embeddings, with the official clients of OpenAI and Anthropic."""

from __future__ import annotations

import io
import json
from array import array
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.backends.wire_server import ReceivedRequest, Reply, WireServer, serving
from tests.conftest import missing
from tests.inference.servers import Server, question, run_server
from tests.inference.targets import CHAT, END, MODEL_LIST, MODELS, event, sse, target_environment
from ui.process.event_loop import EventLoopThread

if TYPE_CHECKING:
    import openai

RESPONSES, MESSAGES, EMBEDDINGS = "/v1/responses", "/v1/messages", "/v1/embeddings"
PARAMETERS = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}
CALL = {"index": 0, "id": "call_7", "function": {"name": "weather", "arguments": '{"town": "Oslo"}'}}
HELLO = {"role": "user", "content": "Hello"}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "?"}}
# How an error names the body of each route.
NAMES = {RESPONSES: "a response to create", MESSAGES: "a message to create", EMBEDDINGS: "one for embeddings"}
KEY = "secret-key"


def reply(request: ReceivedRequest) -> Reply:
    """Answer with thoughts, a tool call or a failure, as the last message asks."""
    text = json.dumps(request.json["messages"][-1]["content"])
    if "fail now" in text:
        return Reply.json({"error": {"message": "no memory"}}, 500)
    if "fail later" in text:
        return Reply([event(content="Half an ans"), sse({"error": {"message": "no memory"}})])
    if "call" in text:
        calls = sse({"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]})
        ended = sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
        return Reply([event(reasoning_content="Hm."), event(content="Wait. "), calls, ended, *END[1:]])
    if "response_format" in request.json:
        return Reply([event(content='{"town": "Oslo"}'), *END])
    reason = "length" if "cut" in text else "stop"
    end = sse({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    return Reply([event(reasoning_content="Hm. "), event(content="Hello "), event(content="you."), end, *END[1:]])


def embed(request: ReceivedRequest) -> Reply:
    data = [{"index": at, "embedding": [len(text), 0.5]} for at, text in enumerate(request.json["input"])]
    return Reply.json({"data": data, "usage": {"prompt_tokens": 7}})


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, WireServer]]:
    """A server with a key in front of a model server that runs in a thread of its own."""
    folder, loop, stack = tmp_path_factory.mktemp("wired"), EventLoopThread(), AsyncExitStack()
    wire = loop.run(stack.enter_async_context(serving()))
    wire.on(MODELS, MODEL_LIST)
    wire.on(CHAT, reply)
    wire.on(EMBEDDINGS, embed)
    environment = target_environment(folder, wire.url) | {"SPACEPORT_EMBEDDINGS_TARGET": "remote"}
    with run_server(folder, **environment, SPACEPORT_API_KEY=KEY) as server:
        yield server, wire
    loop.run(stack.aclose())
    loop.close()


@pytest.fixture
def openai_client(wired: tuple[Server, WireServer]) -> Iterator[openai.OpenAI]:
    import openai  # a second in each test process that collects this module

    with openai.OpenAI(base_url=f"{wired[0].url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(wired: tuple[Server, WireServer]) -> Iterator[Any]:
    try:
        import anthropic
    except ImportError:
        missing("the package anthropic")
    with anthropic.Anthropic(base_url=wired[0].url, api_key=KEY, max_retries=0) as client:
        yield client


def last_body(wired: tuple[Server, WireServer]) -> Any:
    """The request that reached the model."""
    return wired[1].requests(CHAT)[-1].json


def test_a_response(wired: tuple[Server, WireServer], openai_client: openai.OpenAI) -> None:
    response = openai_client.responses.create(
        model="tiny", instructions="Be brief.", input="Hi", max_output_tokens=9, temperature=0.5
    )
    assert response.output_text == "Hello you."
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert (response.status, response.object, response.instructions) == ("completed", "response", "Be brief.")
    assert response.usage
    assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 2)
    body = last_body(wired)
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert (body["max_tokens"], body["temperature"]) == (9, 0.5)
    cut = openai_client.responses.create(model="tiny", input="cut")
    assert cut.status == "incomplete"
    assert cut.incomplete_details
    assert cut.incomplete_details.reason == "max_output_tokens"


def test_a_response_as_a_stream(openai_client: openai.OpenAI) -> None:
    with openai_client.responses.stream(model="tiny", input="Hi") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]
    thoughts = [event.delta for event in events if event.type == "response.reasoning_text.delta"]
    assert (texts, thoughts) == (["Hello ", "you."], ["Hm. "])
    assert final.output_text == "Hello you."
    whole = openai_client.responses.create(model="tiny", input="Hi")
    assert [item.type for item in final.output] == [item.type for item in whole.output]
    assert final.usage == whole.usage


def test_a_tool_of_a_response(wired: tuple[Server, WireServer], openai_client: openai.OpenAI) -> None:
    tools: Any = [{"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}]
    first = openai_client.responses.create(model="tiny", input="call", tools=tools, tool_choice="required")
    [call] = [item for item in first.output if item.type == "function_call"]
    assert (call.call_id, call.name, json.loads(call.arguments)) == ("call_7", "weather", {"town": "Oslo"})
    assert last_body(wired)["tools"][0]["function"]["parameters"] == PARAMETERS
    assert last_body(wired)["tool_choice"] == "required"
    conversation: Any = [{"role": "user", "content": "call"}, *first.output]
    conversation.append({"type": "function_call_output", "call_id": call.call_id, "output": "12 °C"})
    answer = openai_client.responses.create(model="tiny", input=conversation, tools=tools)
    assert answer.output_text == "Hello you."
    roles = [message["role"] for message in last_body(wired)["messages"]]
    assert roles == ["user", "assistant", "assistant", "tool"]
    assert last_body(wired)["messages"][-1] == {"role": "tool", "tool_call_id": "call_7", "content": "12 °C"}
    with openai_client.responses.stream(model="tiny", input="call", tools=tools) as stream:
        types = [event.type for event in stream]
    assert types.count("response.function_call_arguments.done") == 1


def test_a_schema_of_a_response(wired: tuple[Server, WireServer], openai_client: openai.OpenAI) -> None:
    form: Any = {"type": "json_schema", "name": "town", "schema": PARAMETERS, "strict": True}
    response = openai_client.responses.create(model="tiny", input="Name a town.", text={"format": form})
    assert json.loads(response.output_text) == {"town": "Oslo"}
    assert last_body(wired)["response_format"]["json_schema"]["schema"] == PARAMETERS


def test_errors_of_the_responses_api(openai_client: openai.OpenAI) -> None:
    import openai

    with pytest.raises(openai.APIStatusError, match="no memory"):
        openai_client.responses.create(model="tiny", input="fail now")
    with pytest.raises(openai.APIError, match="no memory"):
        list(openai_client.responses.create(model="tiny", input="fail later", stream=True))
    with pytest.raises(openai.BadRequestError, match="previous_response_id is not supported"):
        openai_client.responses.create(model="tiny", input="Hi", previous_response_id="resp_1")
    with pytest.raises(openai.NotFoundError, match="no model 'other'"):
        openai_client.responses.create(model="other", input="Hi")


def test_a_message(wired: tuple[Server, WireServer], anthropic_client: Any) -> None:
    message = anthropic_client.messages.create(
        model="tiny",
        max_tokens=9,
        system="Be brief.",
        messages=[{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        stop_sequences=["END"],
    )
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[1].text == "Hello you."
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == ("end_turn", 5, 2)
    body = last_body(wired)
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert (body["max_tokens"], body["stop"]) == (9, ["END"])
    cut = anthropic_client.messages.create(model="tiny", max_tokens=9, messages=[{"role": "user", "content": "cut"}])
    assert cut.stop_reason == "max_tokens"


def test_a_message_as_a_stream(anthropic_client: Any) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    with anthropic_client.messages.stream(model="tiny", max_tokens=9, messages=messages) as stream:
        texts = list(stream.text_stream)
        final = stream.get_final_message()
    assert texts == ["Hello ", "you."]
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert (final.content[0].thinking, final.stop_reason) == ("Hm. ", "end_turn")
    assert (final.usage.input_tokens, final.usage.output_tokens) == (5, 2)


def test_a_tool_of_a_message(wired: tuple[Server, WireServer], anthropic_client: Any) -> None:
    tools = [{"name": "weather", "description": "The weather", "input_schema": PARAMETERS}]
    options = {"model": "tiny", "max_tokens": 9, "tools": tools}
    messages: list[Any] = [{"role": "user", "content": "call"}]
    with anthropic_client.messages.stream(
        **options, messages=messages, tool_choice={"type": "tool", "name": "weather"}
    ) as stream:
        final = stream.get_final_message()
    assert last_body(wired)["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    call = final.content[-1]
    assert (final.stop_reason, call.type, call.name, call.input) == (
        "tool_use", "tool_use", "weather", {"town": "Oslo"}
    )  # fmt: skip
    messages.append({"role": "assistant", "content": final.content})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "12 °C"}]}
    messages.append({"role": "user", "content": [result, {"type": "text", "text": "And?"}]})
    assert anthropic_client.messages.create(**options, messages=messages).content[1].text == "Hello you."
    _, assistant, tool, user = last_body(wired)["messages"]
    assert (assistant["content"], assistant["tool_calls"][0]["id"]) == ("Wait. ", "call_7")
    assert (tool["role"], tool["tool_call_id"], tool["content"], user["content"]) == ("tool", "call_7", "12 °C", "And?")


def test_a_schema_of_a_message(wired: tuple[Server, WireServer], anthropic_client: Any) -> None:
    message = anthropic_client.messages.create(
        model="tiny",
        max_tokens=9,
        messages=[{"role": "user", "content": "Name a town."}],
        output_config={"format": {"type": "json_schema", "schema": PARAMETERS}},
    )
    assert json.loads(message.content[0].text) == {"town": "Oslo"}
    assert last_body(wired)["response_format"]["json_schema"]["schema"] == PARAMETERS


def test_a_picture_of_a_chat_reaches_the_model(wired: tuple[Server, WireServer], openai_client: openai.OpenAI) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 4), "red").save(picture, "PNG")
    url = f"data:image/png;base64,{b64encode(picture.getvalue()).decode()}"
    content: Any = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    answer = openai_client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content == "Hello you."
    [text, image] = last_body(wired)["messages"][0]["content"]
    assert text["text"] == "What is it?"
    assert image["image_url"]["url"] == url


def test_errors_of_the_messages_api(anthropic_client: Any, wired: tuple[Server, WireServer]) -> None:
    import anthropic

    def ask(text: str, **more: Any) -> Any:
        options = {"model": "tiny", "max_tokens": 9, "messages": [{"role": "user", "content": text}], **more}
        return anthropic_client.messages.create(**options)

    with pytest.raises(anthropic.APIStatusError, match="no memory"):
        ask("fail now")
    with pytest.raises(anthropic.APIStatusError, match="no memory"):
        list(ask("fail later", stream=True))
    with pytest.raises(anthropic.BadRequestError, match="top_k is not supported"):
        ask("Hi", extra_body={"top_k": 3})
    with pytest.raises(anthropic.NotFoundError, match="no model 'other'") as caught:
        ask("Hi", model="other")
    assert caught.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]
    refused = wired[0].post(MESSAGES, question(), headers={"x-api-key": "guess"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")


def test_embeddings(wired: tuple[Server, WireServer], openai_client: openai.OpenAI) -> None:
    import openai

    answer = openai_client.embeddings.create(model="tiny", input=["a", "four"])  # asks for base64
    assert [item.embedding for item in answer.data] == [[1.0, 0.5], [4.0, 0.5]]
    assert (answer.usage.prompt_tokens, answer.model) == (7, "tiny")
    plain = openai_client.embeddings.create(model="tiny", input="four", encoding_format="float")
    assert plain.data[0].embedding == [4.0, 0.5]
    many = openai_client.embeddings.create(model="tiny", input=["x" * (1 + at % 9) for at in range(2048)])
    assert [item.embedding[0] for item in many.data[:10]] == [*range(1, 10), 1]
    for given in ([], ["a", ""], [[1, 2]], "", ["x"] * 2049):
        with pytest.raises(openai.BadRequestError, match="not one for embeddings"):
            openai_client.embeddings.create(model="tiny", input=given)  # type: ignore[arg-type]
    with pytest.raises(openai.NotFoundError, match="no model 'other'"):
        openai_client.embeddings.create(model="other", input="a")
    wired[1].on(EMBEDDINGS, Reply.json({"data": []}))
    with pytest.raises(openai.APIStatusError, match="0 vectors for 1 texts"):
        openai_client.embeddings.create(model="tiny", input="a")
    wired[1].on(EMBEDDINGS, embed)
    assert wired[0].metric("requests_total", dialect="embeddings", status="200") == 3
    assert {line["dialect"] for line in wired[0].log_lines(message="answered")} >= {"embeddings"}


def test_vectors_in_base64_are_little_endian(wired: tuple[Server, WireServer]) -> None:
    answer = wired[0].post(
        EMBEDDINGS, {"input": "four", "encoding_format": "base64"}, headers={"authorization": f"Bearer {KEY}"}
    )
    assert answer.json()["data"][0]["embedding"] == "AACAQAAAAD8="
    assert array("f", [4.0, 0.5]).tobytes().hex() == "000080400000003f"


@pytest.mark.parametrize(
    ("route", "body", "reason"),
    [
        (RESPONSES, [], "it is a list, not an object"),
        (RESPONSES, {}, "input is missing, not a list"),
        (RESPONSES, {"input": [{"type": "item_reference", "id": "x"}]}, "'item_reference'"),
        (RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "neither text nor a picture"),
        (RESPONSES, {"input": "a", "tools": [{"type": "web_search"}]}, "is not a function"),
        (RESPONSES, {"input": "a", "max_output_tokens": 0}, "max_output_tokens is 0"),
        (RESPONSES, {"input": []}, "input is empty"),
        (RESPONSES, {"input": "a", "temperature": "warm"}, "temperature is text"),
        (RESPONSES, {"input": "a", "stream": 1}, "stream is 1"),
        (RESPONSES, {"input": [{"role": "wizard", "content": "a"}]}, "the role of a message is 'wizard'"),
        (RESPONSES, {"input": [{"type": "function_call_output", "output": "a"}]}, "input[0].call_id is missing"),
        (RESPONSES, {"input": "a", "tools": [{"type": "function"}]}, "tools[0] is not a function with a name"),
        (RESPONSES, {"input": "a", "conversation": "c"}, "conversation is not supported"),
        (RESPONSES, {"input": "a", "text": {"format": {"type": "yaml"}}}, "text.format is not"),
        (RESPONSES, {"input": [{"type": "function_call", "call_id": "1", "name": "n"}]}, "arguments is missing"),
        (MESSAGES, {"messages": "Hi"}, "messages is text, not a list"),
        (MESSAGES, {"messages": []}, "messages is empty"),
        (MESSAGES, {"messages": [HELLO], "max_tokens": "ten"}, "max_tokens is text"),
        (MESSAGES, {"messages": [HELLO], "stop_sequences": 1}, "stop_sequences is neither"),
        (MESSAGES, {"system": "b", "messages": [{"role": "user", "content": [PICTURE]}]}, "picture of a message is"),
        (EMBEDDINGS, {"input": "a", "model": 7}, "model is 7, not text"),
        (MESSAGES, {"messages": [{"role": "system", "content": "a"}]}, "not user or assistant"),
        (MESSAGES, {"messages": [{"role": "user", "content": [{"type": "document"}]}]}, "'document'"),
        (
            MESSAGES,
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}]},
            "not in base64",
        ),
        (MESSAGES, {"messages": [], "tools": [{"type": "bash_20250124", "name": "b"}]}, "not a tool of the client"),
        (MESSAGES, {"messages": [], "tools": [{"name": "b"}], "tool_choice": {"type": "some"}}, "tool_choice is not"),
    ],
)
def test_bad_bodies(wired: tuple[Server, WireServer], route: str, body: Any, reason: str) -> None:
    answer = wired[0].post(route, body, headers={"authorization": f"Bearer {KEY}"})
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert reason in message
    assert NAMES[route] in message or "not supported" in message
    assert "messages" not in message.lower() or route == MESSAGES
    assert answer.json().get("type") == ("error" if route == MESSAGES else None)


def test_the_real_model_answers_in_both_formats(server: Server) -> None:
    chat = server.post(CHAT, question(tokens=6)).json()["choices"][0]["message"]["content"]
    response = server.post(RESPONSES, {"input": "Name a colour.", "max_output_tokens": 6, "temperature": 0}).json()
    assert response["output"][0]["content"][0]["text"] == chat
    message = server.post(MESSAGES, question(tokens=6)).json()
    assert message["content"] == [{"type": "text", "text": chat}]
    assert server.post(EMBEDDINGS, {"input": "a"}).status_code == 404
