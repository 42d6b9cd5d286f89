"""Built-in workloads and prompts from files; an error in a file names its line."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends import Message
from compare.errors import WorkloadError
from compare.measure.workloads.find_workload import find_workload
from compare.measure.workloads.prompt import Prompt
from compare.measure.workloads.workload import SHAPES, Workload, built_in, load

GOOD = '{"prompt": "Why is the sky blue?"}'


def save(folder: Path, *lines: str) -> Path:
    path = folder / "mine.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"prompt": "cut', "Unterminated string"),
        ("Why is the sky blue?", "Expecting value"),
        ("5", "isn't a prompt"),
        ("null", "isn't a prompt"),
        ('"prompt"', "isn't a prompt"),
        ("[]", "isn't a prompt"),
        ("{}", "'prompt'"),
        ('{"prompt": ""}', "the text is empty or not a string"),
        ('{"prompt": " \\n"}', "the text is empty or not a string"),
        ('{"prompt": 7}', "the text is empty or not a string"),
        ('{"prompt": null}', "the text is empty or not a string"),
        ('{"messages": []}', "no message"),
        ('{"messages": null}', "isn't a prompt"),
        ('{"messages": ["Hello"]}', "isn't a prompt"),
        ('{"messages": [{"content": "Hello"}]}', "'role'"),
        ('{"messages": [{"role": "user"}]}', "'content'"),
        ('{"messages": [{"role": "tool", "content": "Hello"}]}', "role is 'tool'"),
        ('{"messages": [{"role": ["user"], "content": "Hello"}]}', "role is ['user']"),
        ('{"prompt": "x", "max_tokens": "64"}', "max_tokens is '64'"),
        ('{"prompt": "x", "max_tokens": 64.0}', "max_tokens is 64.0"),
        ('{"prompt": "x", "max_tokens": true}', "max_tokens is True"),
        ('{"prompt": "x", "max_tokens": 0}', "max_tokens is 0"),
        ('{"prompt": "x", "max_tokens": 32769}', "max_tokens is 32769"),
        ('{"prompt": "half a pair: \\ud83d"}', "surrogate"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_broken_line_has_its_number(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        load(save(tmp_path, GOOD, "", line, GOOD))
    assert caught.value.message.startswith("Line 3 of mine.jsonl isn't a prompt (")
    assert why in caught.value.message
    assert '{"prompt": "…"}' in caught.value.remedy


@pytest.mark.parametrize("text", ["", "\n", " \n\n\t\n"])
def test_a_file_without_a_prompt(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(text)
    with pytest.raises(WorkloadError, match=r"mine\.jsonl contains no prompts"):
        load(path)


def test_a_file_of_100_mb_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(WorkloadError) as caught:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert caught.value.message == "big.jsonl has 100 MB."
    assert "20 MB" in caught.value.remedy


def test_too_many_prompts(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="10,001 prompts"):
        load(save(tmp_path, *[GOOD] * 10_001))


def test_a_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "image.jsonl"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(WorkloadError, match="isn't UTF-8"):
        load(path)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_an_unreadable_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(WorkloadError, match="Can't read"):
        load(tmp_path / name)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["no BOM", "BOM"])
def test_both_formats_are_read(tmp_path: Path, start: bytes, ending: str) -> None:
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?\u2028And how?"}]
    lines = [GOOD, "", json.dumps({"messages": talk, "max_tokens": 64}, ensure_ascii=False)]
    path = tmp_path / "mine.jsonl"
    path.write_bytes(start + ending.join(lines).encode())
    workload = load(path)
    assert (workload.name, workload.description) == ("mine.jsonl", "2 prompts of mine.jsonl")
    assert workload.prompts == (
        Prompt((Message("user", "Why is the sky blue?"),)),
        Prompt((Message("system", "Be brief."), Message("user", "Why?\u2028And how?")), 64),
    )


def test_prompts_repeat_in_order(tmp_path: Path) -> None:
    workload = load(save(tmp_path, '{"prompt": "one"}', '{"prompt": "two"}'))
    assert [workload.step(number).prompt.messages[0].content for number in range(5)] == [
        "one",
        "two",
        "one",
        "two",
        "one",
    ]


@pytest.mark.parametrize(
    "messages",
    [
        (Message("user", "Why?"),),
        (Message("system", "Be brief."), Message("user", "Why?")),
    ],
)
def test_the_nonce_comes_first(messages: tuple[Message, ...]) -> None:
    sent = Prompt(messages).request(nonce="ab12cd34", max_tokens=None, temperature=0.0).messages
    assert sent[0].content == f"[ab12cd34] {messages[0].content}"
    assert [message.role for message in sent] == [message.role for message in messages]
    assert sent[1:] == messages[1:]


@pytest.mark.parametrize("name", SHAPES)
def test_every_request_has_its_nonce(name: str) -> None:
    workload = built_in(name)
    for number in range(40):
        request = workload.step(number).prompt.request(nonce=f"{number:08x}", max_tokens=None, temperature=0.5)
        assert request.messages[0].content.startswith(f"[{number:08x}] ")
        assert request.temperature == 0.5


@pytest.mark.parametrize(
    ("planned", "own", "sent"), [(None, None, 256), (None, 64, 64), (16, None, 16), (16, 64, 16), (128, 64, 128)]
)
def test_the_plans_maximum_length_overrides_the_prompts(planned: int | None, own: int | None, sent: int) -> None:
    prompt = Prompt((Message("user", "Why?"),), own)
    assert prompt.request(nonce="n", max_tokens=planned, temperature=0.0).max_tokens == sent


@pytest.mark.parametrize("name", SHAPES)
def test_built_in_prompts_have_their_stated_length_and_never_change(name: str) -> None:
    shape, workload = SHAPES[name], built_in(name)
    assert workload == built_in(name)
    assert workload.hash == built_in(name).hash
    assert workload.description == shape.description
    words = [len(prompt.messages[0].content.split()) for prompt in workload.prompts]
    assert len(set(words)) == 1
    assert abs(words[0] - shape.words_in) <= 8
    assert {prompt.max_tokens for prompt in workload.prompts} == {shape.tokens_out}


def test_long_built_in_prompts_differ_from_one_another() -> None:
    texts = [prompt.messages[0].content for prompt in built_in("rag").prompts]
    assert len(set(texts)) == len(texts)


def two_prompts(**fields: Any) -> Workload:
    first = Prompt((Message("user", "one"),), 8)
    return replace(Workload("mine", "two prompts", (first, Prompt((Message("user", "two"),)))), **fields)


def test_the_hash_ignores_the_name() -> None:
    assert two_prompts(name="yours", description="other words").hash == two_prompts().hash
    assert len(two_prompts().hash) == 16


@pytest.mark.parametrize(
    "prompts",
    [
        (Prompt((Message("user", "one"),), 8),),
        (Prompt((Message("user", "one!"),), 8), Prompt((Message("user", "two"),))),
        (Prompt((Message("user", "two"),)), Prompt((Message("user", "one"),), 8)),
        (Prompt((Message("user", "one"),), 9), Prompt((Message("user", "two"),))),
        (Prompt((Message("system", "one"),), 8), Prompt((Message("user", "two"),))),
        (Prompt((Message("user", "one"), Message("user", "two")), 8),),
    ],
    ids=["one less", "a text", "the order", "the maximum length", "a role", "one conversation"],
)
def test_the_hash_changes_with_the_prompts(prompts: tuple[Prompt, ...]) -> None:
    assert two_prompts(prompts=prompts).hash != two_prompts().hash


@pytest.mark.parametrize("find", [find_workload, built_in])
def test_an_unknown_name_lists_the_known_ones(find: Any) -> None:
    with pytest.raises(WorkloadError) as caught:
        find("shrot")
    assert caught.value.message == "There is no workload 'shrot'."
    assert all(name in caught.value.remedy for name in SHAPES)


def test_a_workload_by_name_or_path(tmp_path: Path) -> None:
    assert find_workload("chat") == built_in("chat")
    assert find_workload(str(save(tmp_path, GOOD))).prompts == (Prompt((Message("user", "Why is the sky blue?"),)),)
    with pytest.raises(WorkloadError, match=r"Can\'t read nowhere\.jsonl"):
        find_workload(str(tmp_path / "nowhere.jsonl"))
