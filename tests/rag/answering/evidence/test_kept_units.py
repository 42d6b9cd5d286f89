"""What is read of a passage once, and kept for the next questions with the document."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from rag.answering.evidence.tables.cell_scope import text_stems
from rag.answering.evidence.units.per_document import PerPassage
from rag.answering.evidence.units.split import find_units
from rag.documents import Document, Passage


def document(text: str) -> Document:
    return Document("d", "report.txt", text, (), "text/plain")


def passage(source: Document, start: int = 0, end: int | None = None, number: int = 1, score: float = 0.5) -> Passage:
    end = len(source.text) if end is None else end
    return Passage(number, source.id, source.name, None, "", start, end, source.text[start:end], score, None, None)


def test_the_units_of_another_question_have_its_passages_and_ranks() -> None:
    source = document("The deck holds 24 visitors. It opens at nine.\n\nThe tower is 40 m high.")
    first, second = passage(source, 0, 45), passage(source, 47)
    before = find_units([first, second], {"d": source})
    ranked = [replace(second, number=1, score=0.9), replace(first, number=2, score=0.1)]
    after = find_units(ranked, {"d": source})
    assert [unit.text for unit in after] == [before[2].text, before[0].text, before[1].text]
    assert [unit.rank for unit in after] == [0, 1, 1]
    assert [unit.passage for unit in after] == [ranked[0], ranked[1], ranked[1]]
    assert all(unit.document is source for unit in after)


def test_a_sentence_has_the_headings_above_it_in_a_passage_of_several_sections() -> None:
    text = "# Pools\n\n## Hours\n\nWe open at nine. Bring a towel.\n\n## Fees\n\nChildren pay half."
    source = Document("d", "pools.md", text, (), "text/markdown")
    units = find_units([replace(passage(source), heading="Pools > Hours")], {"d": source})
    assert [(unit.heading, unit.opens_section) for unit in units] == [
        ("Pools > Hours", True),
        ("Pools > Hours", False),
        ("Pools > Fees", True),
    ]


def test_a_document_without_headings_has_those_of_its_passages() -> None:
    source = document("We open at nine.")
    assert find_units([replace(passage(source), heading="Hours")], {"d": source})[0].heading == "Hours"


def test_a_text_is_stemmed_once_for_all_questions() -> None:
    source, calls = document("The deck holds 24 visitors. It opens at nine."), list[str]()

    def stems(text: str) -> frozenset[str]:
        calls.append(text)
        return text_stems(text)

    for _ in range(2):
        first, second = find_units([passage(source)], {"d": source})
        assert second.once(stems, first.text) == first.once(stems, first.text) == text_stems(first.text)
    assert calls == [first.text]


def test_a_document_with_the_same_id_and_another_text_has_its_own_units() -> None:
    first, second = document("The deck holds 24 visitors."), document("The deck holds 96 visitors.")
    assert [unit.text for each in (first, second) for unit in find_units([passage(each)], {"d": each})] == [
        first.text,
        second.text,
    ]


def test_values_are_freed_with_their_document() -> None:
    words = PerPassage(lambda _, passage: tuple(passage.text.split()))
    source, other = document("one two three"), document("four five")
    assert words.of(source, passage(source)) is words.of(source, passage(source, number=7, score=0.1))
    assert words.of(other, passage(other)) == ("four", "five")
    assert len(words._values) == 2
    del source
    gc.collect()
    assert [*words._values.values()] == [("four", "five")]


def test_units_do_not_keep_their_document() -> None:
    source = document("The deck holds 24 visitors. It opens at nine.")
    alive = documents_in_memory()
    find_units([passage(source)], {"d": source})
    del source
    gc.collect()
    assert documents_in_memory() == alive - 1


def documents_in_memory() -> int:
    """Count them by `type`: `isinstance` reads an attribute of any object, and torch has one that warns of it."""
    return sum(type(each) is Document for each in gc.get_objects())


def test_only_the_latest_values_are_kept() -> None:
    calls = list[int]()

    def numbers(_: Document, passage: Passage) -> tuple[int, ...]:
        calls.append(passage.start)
        return tuple(range(1500))

    source, kept = document("x" * 10), PerPassage(numbers)
    for start in (0, 1, 0, 2, 0, 1):  # there is room for two: 2 takes the place of 1, which was asked for before 0
        kept.of(source, passage(source, start))
    assert calls == [0, 1, 2, 1]


def test_passages_without_values_take_room_as_well() -> None:
    source, kept = document("x" * 10_000), PerPassage[int](lambda _, passage: ())
    for start in range(6_000):
        kept.of(source, passage(source, start, start + 1))
    assert len(kept._values) <= 4_000


class ReadValues(dict[Any, Any]):
    """A dictionary that calls a function whenever all of it is read."""

    def __init__(self, on_read: Callable[[], object]) -> None:
        super().__init__()
        self._on_read = on_read

    def __iter__(self) -> Iterator[Any]:
        self._on_read()
        return super().__iter__()

    def items(self) -> Any:
        self._on_read()
        return super().items()


def test_values_that_are_kept_are_found_without_a_look_at_the_others() -> None:
    source, kept, readings = document("x" * 500), PerPassage[int](lambda _, passage: (1, 2)), list[int]()
    kept._values = ReadValues(lambda: readings.append(1))
    for start in (*range(500), *range(500)):
        kept.of(source, passage(source, start, start + 1))
    assert not readings


def test_a_document_can_be_freed_while_the_oldest_values_are_dropped() -> None:
    source, kept, before = document("x" * 2_000), PerPassage[int](lambda _, passage: ()), gc.get_threshold()
    gc.set_threshold(0)
    try:
        freed = document("y" * 3_000)
        for start in range(3_000):
            kept.of(freed, passage(freed, start, start + 1))
        cycle: list[object] = [freed]
        cycle.append(cycle)
        del freed, cycle
        # The tenth object that is made from then on starts a collection.
        values = ReadValues(lambda: gc.set_threshold(gc.get_count()[0] + 10))
        values.update(kept._values)
        kept._values = values
        for start in range(1_200):
            kept.of(source, passage(source, start, start + 1))
    finally:
        gc.set_threshold(*before)
    assert {key[0] for key in values} == {id(source)}
