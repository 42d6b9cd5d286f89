"""Workloads that are generated: the same from the same settings, with the lengths and shares that they state."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median

import pytest

from compare.errors import PlanError, WorkloadError
from compare.measure.load import Load
from compare.measure.plan import RunPlan, closed_loops
from compare.measure.workloads.find_workload import find_workload
from compare.measure.workloads.generated.documents import CHARACTERS
from compare.measure.workloads.prompt import FollowUp, Prompt
from compare.measure.workloads.workload import Workload, load

LENGTHS = '{distribution = "lognormal", median = 2000, p95 = 9000, min = 1000, max = 20000}'


def workload(folder: Path, text: str) -> Workload:
    path = folder / "shape.toml"
    path.write_text(text)
    return find_workload(str(path))


def words(prompt: Prompt) -> int:
    return len(prompt.messages[0].text.split())


def test_lengths_follow_their_distribution(tmp_path: Path) -> None:
    text = f'prompts = 300\nprompt_tokens = {LENGTHS}\nmax_tokens = {{distribution = "uniform", min = 5, max = 20}}'
    made = workload(tmp_path, text)
    sizes = sorted(map(words, made.prompts))
    assert (min(sizes), max(sizes)) == pytest.approx((1000, 20_000), rel=0.02)
    assert median(sizes) == pytest.approx(2000, rel=0.15)
    assert sizes[int(0.95 * len(sizes))] == pytest.approx(9000, rel=0.25)
    assert set(range(5, 21)) == {prompt.max_tokens for prompt in made.prompts}
    assert "1,000 to 20,000 tokens (median 2,000, p95 9,000)" in made.description


def test_a_seed_makes_a_workload(tmp_path: Path) -> None:
    text = f"prompts = 5\nprompt_tokens = {LENGTHS}\n"
    assert workload(tmp_path, text) == workload(tmp_path, text)
    assert workload(tmp_path, text).hash != workload(tmp_path, f"seed = 1\n{text}").hash
    more = workload(tmp_path, text.replace("5", "9", 1))
    assert more.prompts[:5] == workload(tmp_path, text).prompts
    assert more.settings is not None
    assert more.settings["prompt_tokens"]["median"] == 2000


@pytest.mark.parametrize(("share", "shared"), [(0, 0), (0.25, 10), (0.5, 20), (1, 40)])
def test_a_share_of_the_prompts_has_the_same_prefix(tmp_path: Path, share: float, shared: int) -> None:
    made = workload(tmp_path, f"prompts = 40\nprompt_tokens = 50\n[prefix]\ntokens = 200\nshare = {share}")
    prefixes = [prompt.prefix for prompt in made.prompts if prompt.prefix]
    assert len(prefixes) == 40
    assert {len(prefix.text.split()) for prefix in prefixes} == {200}
    texts = Counter(prefix.text for prefix in prefixes)
    assert sorted(texts.values(), reverse=True) == [*([shared] if shared else []), *[1] * (40 - shared)]
    assert sum(prefix.number > 0 for prefix in prefixes) == shared


def test_several_prefixes(tmp_path: Path) -> None:
    made = workload(tmp_path, "prompts = 40\nprompt_tokens = 50\n[prefix]\ntokens = 20\ncount = 3")
    assert len({prompt.prefix.text for prompt in made.prompts if prompt.prefix}) == 3


def test_passages_come_from_documents(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.txt").write_text("alpha " * 4000)
    (folder / "b.md").write_text("\ufeffbeta " * 10, encoding="utf-8")
    (folder / "c.bin").write_bytes(b"\0\xff")
    made = workload(tmp_path, 'prompts = 6\nprompt_tokens = 2000\n[passages]\ntokens = 400\ndocuments = "reports"')
    for prompt in made.prompts:
        text = prompt.messages[0].text
        assert len(text) / CHARACTERS == pytest.approx(2000, rel=0.05)
        assert "[1] " in text
        assert "[5] " in text
        assert "alpha alpha" in text
    text = f'prompt_tokens = 50\nprompts = 1\n[passages]\ndocuments = "{folder}"'
    assert workload(tmp_path, text).settings == {
        "seed": 0,
        "prompts": 1,
        "prompt_tokens": 50,
        "max_tokens": 128,
        "passages": {"tokens": 300, "documents": "reports"},
    }
    with pytest.raises(WorkloadError, match="has no text files"):
        workload(tmp_path, 'prompt_tokens = 2000\n[passages]\ndocuments = "nowhere"')


def test_long_prompts_have_a_limit_together(tmp_path: Path) -> None:
    assert words(workload(tmp_path, "prompts = 2\nprompt_tokens = 100_000\n[passages]").prompts[1]) > 99_000
    with pytest.raises(WorkloadError, match="more than 20 million tokens") as caught:
        workload(tmp_path, "prompts = 10_000\nprompt_tokens = 200_000")
    assert "prompts = 100" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "prompt_tokens is missing"),
        ("prompt_tokens = 0", "prompt_tokens is 0, less than 1"),
        ("prompt_tokens = 1_000_000", "prompt_tokens is above 200,000"),
        ("prompt_tokens = nan", "prompt_tokens is nan"),
        ("prompt_tokens = true", "prompt_tokens is True"),
        ('prompt_tokens = "many"', "prompt_tokens is 'many'"),
        ("prompt_tokens = 5\nprompt_token = 5", "there is no setting prompt_token"),
        ('prompt_tokens = {distribution = "normal", mean = 5}', "no distribution uniform or lognormal"),
        ('prompt_tokens = {distribution = "uniform", min = 5, max = 2}', "prompt_tokens: max is less than min"),
        ('prompt_tokens = {distribution = "uniform", min = 5}', "prompt_tokens.max is missing"),
        ("prompt_tokens = 5\nmax_tokens = 99_999", "max_tokens is above 32,768"),
        ("prompt_tokens = 5\n[prefix]\ntokens = 5\nshare = 1.5", "prefix.share is 1.5"),
        ("prompt_tokens = 5\n[conversation]\nturns = 500", "conversation.turns is above 100"),
        ("prompt_tokens = 5\n[conversation]\nturns = 2\nthink_seconds = -1", "conversation.think_seconds is -1"),
        ("prompt_tokens = ", "isn't TOML"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload(tmp_path, text)
    assert message in caught.value.message
    assert "shape.toml" in caught.value.message


def test_blocks_contain_whole_conversations(tmp_path: Path) -> None:
    turns = '{distribution = "uniform", min = 1, max = 4}'
    made = workload(tmp_path, f"prompt_tokens = 50\n[conversation]\nturns = {turns}\nthink_seconds = 2")
    plan = RunPlan(("a",), closed_loops([3]), requests=50).with_conversations(made)
    assert plan.requests == sum(plan.turns) >= 50
    assert len(set(plan.turns)) > 1
    for block in plan.blocks():
        numbers = list(made.conversations(block.first, block.size))
        assert [made.step(each.start).turn for each in numbers] == [0] * len(numbers)
        assert sum(map(len, numbers)) == block.size
    assert made.step(1).think_seconds in (0, 2)
    with pytest.raises(PlanError, match="no rate"):
        RunPlan(("a",), (Load("poisson", 2),)).with_conversations(made)
    with pytest.raises(PlanError, match="10 conversations can't keep 64 in flight"):
        RunPlan(("a",), closed_loops([64]), requests=64).with_conversations(
            workload(tmp_path, "prompt_tokens = 50\n[conversation]\nturns = 7")
        )


def test_numbers_go_through_all_turns_and_start_over() -> None:
    prompts = [Prompt((), follow_ups=(FollowUp("and?"),) * more) for more in (0, 2, 1)]
    made = Workload("mine", "", tuple(prompts))
    steps = [made.step(number) for number in range(8)]
    assert [(step.place, step.turn, step.conversation) for step in steps] == [
        (0, 0, 0), (1, 0, 1), (1, 1, 1), (1, 2, 1), (2, 0, 2), (2, 1, 2), (0, 0, 3), (1, 0, 4),
    ]  # fmt: skip
    assert made.turns(7) == (1, 3, 2, 1)


def test_conversations_of_your_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"turns": ["Hello", {"text": "And then?", "think_seconds": 1.5, "max_tokens": 9}], "max_tokens": 5}'
    )
    (prompt,) = load(path).prompts
    assert prompt.messages[0].text == "Hello"
    assert prompt.follow_ups == (FollowUp("And then?", 1.5, 9),)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"turns": []}', "isn't a prompt"),
        ('{"turns": [""]}', "the text is empty"),
        ('{"turns": ["a", {"text": "b", "think_seconds": "2"}]}', "think_seconds is '2'"),
        ('{"turns": ["a", {"text": "b", "think_seconds": 1e9}]}', "think_seconds is 1000000000.0"),
        ('{"turns": ["a", {"text": "b", "max_tokens": 0}]}', "max_tokens is 0"),
        ('{"turns": ["a", "b"], "prompt": "c"}', "both prompt and turns"),
        ('{"turns": ["a", "b"], "question": {"id": "1", "text": "a"}}', "a question has one turn"),
        ('{"turns": 7}', "isn't a prompt"),
    ],
)
def test_a_broken_conversation(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(line)
    with pytest.raises(WorkloadError) as caught:
        load(path)
    assert why in caught.value.message
