"""Races, their independent columns, and votes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends import Backend, Catalog, ChatRequest, Delta, Done, Health, Message
from compare.errors import PlanError
from compare.interactive.race import Race, race_columns, run_race
from compare.interactive.service import ComparisonService
from compare.interactive.votes import BOTH_BAD, TIE, Ballot, shuffle
from compare.report.views import race_view
from compare.report.words import race_text
from compare.report.words.glossary import find_terms
from tests.compare.servers import TOKENS, Models
from tests.helpers.servers import wait_until


def create_service(models: Models, folder: Path, *names: str, **extra: str) -> ComparisonService:
    return ComparisonService(Catalog.load(models.catalog(folder, *names, **extra)), folder)


def start_race(service: ComparisonService, *names: str, blind: bool = False, prompt: str = "Go") -> AsyncIterator[Race]:
    visitor = service.visitors.get("visitor")
    return service.race(visitor, prompt, names, blind=blind, max_tokens=32, temperature=0)


async def test_all_columns_stream_at_once(models: Models, tmp_path: Path) -> None:
    service = create_service(models, tmp_path, "steady", "slow", "thinker", price="1.25/h")
    race = [race async for race in start_race(service, "steady", "slow", "thinker")][-1]
    assert [column.state for column in race.columns] == ["done"] * 3
    watches = [column.stopwatch for column in race.columns]
    assert max(watch.started_at or 0 for watch in watches) < min(watch.ended_at or 0 for watch in watches)
    steady, _, thinker = race.columns
    assert steady.answer.split() == [f"word{number}" for number in range(TOKENS)]
    assert thinker.thought.split() == ["word0", "word1", "word2"]
    assert steady.cost == pytest.approx(1.25 / 3600 * (steady.stopwatch.total_seconds or 0))
    assert race.votable
    heads = [race_view.column_view(race, place, {})[0] for place in range(3)]
    tips = re.findall(r' popovertarget="([^"]+)"', "".join(heads))
    assert len(tips) == len(set(tips)) == 3 * 5
    assert not find_terms(re.findall(r"<dt>([^<]+)", "".join(heads)))
    race.columns[2].state = "answering"  # then all heads are drawn again and again, which would close a tip
    assert "popovertarget" not in race_view.column_view(race, 0, {})[0]


async def test_a_failed_column_shows_the_remedy_and_the_others_go_on(models: Models, tmp_path: Path) -> None:
    path = models.catalog(tmp_path, "steady", "refuses")
    path.write_text(path.read_text() + '\n[gpu]\nkind = "openai"\nurl = "${NOT_SET_ANYWHERE}"\n')
    service = ComparisonService(Catalog.load(path), tmp_path)
    race = [race async for race in start_race(service, "refuses", "gpu", "steady")][-1]
    refused, unset, steady = race.columns
    assert (refused.state, unset.state, steady.state) == ("failed", "failed", "done")
    assert "NOT_SET_ANYWHERE" in race_view.body_markdown(unset)
    assert "api_key" in race_view.body_markdown(refused)
    assert not race.votable  # a vote needs two answers


async def test_an_answer_that_ends_at_the_length_limit_says_so() -> None:
    class Cut:
        local = False

        async def stream(self, request: ChatRequest) -> AsyncIterator[Delta | Done]:
            yield Delta("The sky is")
            yield Done("length", usage=None)

        async def check(self) -> Health:
            return Health(model="cut")

        async def aclose(self) -> None:
            pass

    columns = race_columns(["cut", "other"], {}, {})
    async for _ in run_race(columns, dict.fromkeys(("cut", "other"), Cut()), ChatRequest((Message("user", "Go"),))):
        pass
    assert columns[0].state == "done"
    assert ">stopped at the length limit</span>" in race_view.head_html(columns[0])


async def test_an_unknown_target_names_the_catalogue_without_its_folder(models: Models, tmp_path: Path) -> None:
    """The error is the answer of the API and the text of a column."""
    service = create_service(models, tmp_path, "steady")
    answers = await service.answers("Go", ["stedy", "../steady"])
    assert "Did you mean steady?" in answers["stedy"]
    assert str(tmp_path) not in str(answers)
    race = [race async for race in start_race(service, "stedy", "steady")][-1]
    assert race.columns[0].state == "failed"
    assert str(tmp_path) not in race_view.body_markdown(race.columns[0])


async def test_every_column_failing_ends_the_race(models: Models, tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    path.write_text(
        '[a]\nkind = "openai"\nurl = "${NOT_SET_ANYWHERE}"\n[b]\nkind = "openai"\nurl = "${NOT_SET_EITHER}"\n'
    )
    races = [race async for race in start_race(ComparisonService(Catalog.load(path), tmp_path), "a", "b")]
    assert races[-1].over


async def test_stop_frees_every_connection(models: Models, tmp_path: Path) -> None:
    service = create_service(models, tmp_path, "endless", "steady")
    stream = start_race(service, "endless", "steady")
    async for race in stream:
        if race.columns[0].answer:
            break
    await stream.aclose()
    race.stop()
    assert race.columns[0].state == "stopped"
    # The other target may have finished already.
    await asyncio.to_thread(wait_until, lambda: "endless" in models.disconnects)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["steady"], "This race has 1 target"),
        (["steady", "steady"], "appears twice"),
        (["a", "b", "c", "d", "e"], "5 targets"),
    ],
)
def test_two_to_four_different_targets(names: list[str], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        race_columns(names, {}, {})


async def test_everything_that_gives_a_target_away_is_hidden_until_the_vote(models: Models, tmp_path: Path) -> None:
    """A pace, a thought, an error's wording, a token count or a price can name a target as well as its name."""
    service = create_service(models, tmp_path, "steady", "slow", "thinker", "refuses", price="1.25/h")
    visitor = service.visitors.get("visitor")
    seen: set[tuple[str, str]] = set()
    async for race in start_race(service, "steady", "slow", "thinker", "refuses", blind=True):
        views = [race_view.column_view(race, place, {"steady": "#123456"}) for place in range(4)]
        heads = {head.replace(f"Answer {letter}", "") for letter, (head, _) in zip("ABCD", views, strict=True)}
        assert len(heads) == 1
        if race.over:
            seen = {(column.target, body) for column, (_, body) in zip(race.columns, views, strict=True)}
        else:
            assert {body for _, body in views} == {race_text.HIDDEN_UNTIL_DONE}
        text = " ".join(part for view in views for part in view)
        assert not any(word in text for word in (" s</", "USD", "tokens", "sp-done", "sp-failed", "thought", "api_key"))
    assert dict(seen)["refuses"] == race_text.NO_ANSWER
    assert dict(seen)["steady"].startswith("word0 word1")
    second = race.columns[1].target
    result = service.vote(visitor, "B")
    assert result is race
    assert not race.hidden
    vote = visitor.ballot.votes[0]
    assert (vote.winner, vote.blind, vote.prompt) == (second, True, "Go")
    service.vote(visitor, "A")
    assert len(visitor.ballot.votes) == 1  # a race has one vote
    assert not race.votable


def test_votes_are_counted_and_exported() -> None:
    ballot = Ballot()
    ballot.cast("one", ["a", "b"], "A", blind=True)
    ballot.cast("two", ["b", "a"], "B", blind=True)
    ballot.cast("three", ["a", "b"], TIE, blind=False)
    ballot.cast("four", ["a", "b"], BOTH_BAD, blind=True)
    assert ballot.standings() == [("a", 2, 4), ("b", 0, 4)]
    assert [json.loads(line)["winner"] for line in ballot.jsonl().splitlines()] == ["a", "a", "tie", "both bad"]


def test_the_order_of_hidden_columns_varies() -> None:
    orders = {tuple(shuffle(["a", "b", "c"])) for _ in range(200)}
    assert len(orders) == 6


async def test_a_models_text_is_never_markup(models: Models, tmp_path: Path) -> None:
    column = race_columns(["steady", "slow"], {"steady": "<b>steady</b>"}, {})[0]
    column.answer = "![x](http://tracker.invalid/p.png) <script>alert(1)</script>"
    column.thought = "<img src=x onerror=alert(1)>"
    assert "<script" not in race_view.body_markdown(column)
    assert "![x]" not in race_view.body_markdown(column)
    head = race_view.head_html(column)
    assert "<img" not in head
    assert "&lt;b&gt;steady" in head


async def test_a_race_counts_a_models_load_apart_from_its_first_token(models: Models, tmp_path: Path) -> None:
    """A model on this machine is loaded first, and the others wait for it at the start."""

    class Local:
        local = True

        def __init__(self, backend: Backend) -> None:
            self.stream, self.aclose, self._backend, self.loaded = backend.stream, backend.aclose, backend, False

        async def check(self) -> Health:
            await asyncio.sleep(0.3)
            self.loaded = True
            return await self._backend.check()

    catalog = Catalog.load(models.catalog(tmp_path, "steady", "slow"))
    columns = race_columns(["steady", "slow"], {}, {})
    local = Local(catalog.connect("steady"))
    states = set()
    request = ChatRequest((Message("user", "Go"),), max_tokens=32)
    async for _ in run_race(columns, {"steady": local, "slow": catalog.connect("slow")}, request):
        states.add(columns[0].state)
        assert local.loaded or not columns[1].answer
    steady, slow = columns
    assert "loading" in states
    assert steady.load_seconds is not None
    assert steady.load_seconds > 0.29
    assert slow.load_seconds is None
    assert f"<dt>model load</dt><dd>{steady.load_seconds:.2f} s</dd>" in race_view.head_html(steady)
    assert "model load" not in race_view.head_html(slow)


async def test_the_bars_of_a_race_share_one_scale(models: Models, tmp_path: Path) -> None:
    """The slowest column's bar is full; the first part of each is the wait for the first token."""
    race = [race async for race in start_race(create_service(models, tmp_path, "steady", "slow"), "steady", "slow")][-1]
    longest = max(column.elapsed_seconds for column in race.columns)
    lengths = []
    for column in race.columns:
        head = race_view.column_view(race, race.columns.index(column), {})[0]
        wait, answer = (float(width) for width in re.findall(r'<i style="width:([\d.]+)%"', head))
        assert wait == pytest.approx(100 * (column.stopwatch.first_token_seconds or 0) / longest, abs=0.1)
        assert wait + answer == pytest.approx(100 * (column.stopwatch.total_seconds or 0) / longest, abs=0.2)
        lengths.append(wait + answer)
    assert max(lengths) == pytest.approx(100, abs=0.2)
    assert min(lengths) < 99
