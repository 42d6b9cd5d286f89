from __future__ import annotations

import random

import pytest

from rag.answering.cite import Citer
from rag.answering.markers import Marker, split_at_markers
from rag.answering.support import SourceText, sentence_spans
from rag.documents import Passage


def passage(number: int, text: str) -> Passage:
    return Passage(number, "d", "report.pdf", 1, "", 0, len(text), text, 1.0, None, None)


PASSAGES = [
    passage(1, "Total net sales were $ 82,959 in the quarter ended June 25, 2022."),
    passage(2, "Research and development expense was $ 6,797 in the third quarter, mostly for headcount."),
]


def cite(text: str, size: int = 1000, passages: list[Passage] | None = None) -> tuple[str, Citer]:
    """Feed the text in pieces of `size` characters; return the answer and the citer."""
    citer = Citer(PASSAGES if passages is None else passages)
    parts = [citer.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join(parts) + citer.flush(), citer


OTHERS = [*PASSAGES, passage(3, "As shown before [1], the population grew [12] by 4 percent in 2020.")]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Net sales were 82,959. [1]", "Net sales were 82,959. [1]"),
        ("Net sales [1] and expense [2].", "Net sales [1] and expense [2]."),
        ("Both say so [1, 2].", "Both say so [1][2]."),
        ("Nothing holds this [7].", "Nothing holds this ."),
        ("Total net sales were $82,959 in the quarter.", "Total net sales were $82,959 in the quarter. [1]"),
        (
            "Research and development expense was 6,797. It rose.",
            "Research and development expense was 6,797. [2] It rose.",
        ),
        ("The moon is made of green cheese today.", "The moon is made of green cheese today."),
        ("An open bracket [ stays", "An open bracket [ stays"),
        ("A year [2022] is no marker.", "A year [2022] is no marker."),
    ],
)
def test_markers_are_the_same_wherever_the_text_is_split(text: str, answer: str, size: int) -> None:
    assert cite(text, size)[0] == answer


def test_a_wrong_figure_is_never_attributed() -> None:
    answer, citer = cite("Total net sales were $82,960 in the quarter.")
    assert answer == "Total net sales were $82,960 in the quarter."
    assert not citer.attribution


def test_the_origin_of_a_marker_is_recorded() -> None:
    _, citer = cite("Total net sales were $82,959 in the quarter. Expense was high [2]. And [9].")
    assert citer.attribution == {1: True, 2: False}
    assert citer.invalid_markers == 1


def test_a_model_marker_wins_over_an_attribution() -> None:
    _, citer = cite("Total net sales were $82,959 in the quarter. So it says [1].")
    assert citer.attribution == {1: False}


def test_code_is_left_alone() -> None:
    text = "Use `rows[1]` here:\n```python\nprint(rows[1], rows[9])\n```\n"
    answer, citer = cite(text, 1)
    assert answer == text
    assert citer.invalid_markers == 0


def test_without_passages_the_text_is_untouched() -> None:
    text = "A list is written [1, 2, 3] and a footnote [1]."
    assert cite(text, 4, [])[0] == text


def test_the_first_word_is_returned_at_once() -> None:
    assert Citer(PASSAGES).feed("Total") == "Total"


@pytest.mark.parametrize(
    ("text", "answer", "numbers"),
    [
        ("Both [1][2].", "Both [1][2].", [1, 2]),
        ("Both [1, 2] and [1; 2] and [1 and 2].", "Both [1][2] and [1][2] and [1][2].", [1, 2, 1, 2, 1, 2]),
        ("All [1-3] and [2–3].", "All [1][2][3] and [2][3].", [1, 2, 3, 2, 3]),
        ("So 【1】 and 【2†source】 and ［3］.", "So [1] and [2] and [3].", [1, 2, 3]),
        ("Note [^1] and [#2] and [[3]].", "Note [1] and [2] and [3].", [1, 2, 3]),
        ("[Passage 1] says, [source 2, 3] too.", "[1] says, [2][3] too.", [1, 2, 3]),
        ("The loss was (1) and (2).", "The loss was (1) and (2).", []),
        ("It lies in [0, 1].", "It lies in [0, 1].", []),
        ("No [0] and [9] and [2-9].", "No  and  and [2][3].", [2, 3]),
        ("`[1]` and ``x[2]`` and ```\n[1]\n``` [2]", "`[1]` and ``x[2]`` and ```\n[1]\n``` [2]", [2]),
        ("A lone ` tick [1]\nNext [2]", "A lone ` tick [1]\nNext [2]", [2]),
        ("[p] [passages] [the rest] [", "[p] [passages] [the rest] [", []),
        ("Left [1", "Left [1", []),
    ],
)
def test_each_spelling_of_a_marker(text: str, answer: str, numbers: list[int]) -> None:
    actual, citer = cite(text, passages=OTHERS)
    assert actual == answer
    assert [claim.number for claim in citer.claims] == numbers
    markers = citer.new_markers()
    assert [answer[marker.start : marker.end] for marker in markers] == [f"[{number}]" for number in numbers]
    assert citer.new_markers() == []


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("See [1](http://evil.example/x) there", "See [1] there"),
        ('See [1]( <http://e> "title" ) there', "See [1] there"),
        ("See [1](#source-1-9) and [2](//e.example)", "See [1] and [2]"),
        ("See [1](mailto:a@b) and [2](www.e.example)", "See [1] and [2]"),
        ("See ![1](http://e/p.png)", "See ![1]"),
        ("See [1](note) and [2] (that)", "See [1] (note) and [2] (that)"),
        ("See [1](http://a(b)c)", "See [1] (http://a(b)c)"),
        ("See [1](http://unfinished", "See [1] (http://unfinished"),
        ("[1]: http://evil\nSee [1].", "[1] : http://evil\nSee [1]."),
        ("2. [2]: http://evil", "2. [2] : http://evil"),
        ("> [1]: http://evil", "> [1] : http://evil"),
        ("See [1][evil]", "See [1] [evil]"),
    ],
)
def test_the_model_cannot_turn_a_marker_into_its_own_link(text: str, answer: str) -> None:
    assert cite(text)[0] == answer


def test_a_marker_copied_from_the_document_is_not_a_citation() -> None:
    answer, citer = cite("As shown before [1], the population grew [12].", passages=OTHERS)
    assert answer == "As shown before , the population grew . [3]"
    assert citer.attribution == {3: True}
    assert citer.invalid_markers == 2


def test_the_pieces_of_an_answer_and_its_markers_make_the_answer() -> None:
    answer, citer = cite("Both say so [1, 2]. Total net sales were $82,959 in the quarter. Use `a[1]`.")
    markers = [claim.marker for claim in citer.claims]
    assert [(marker.number, marker.attributed) for marker in markers] == [(1, False), (2, False), (1, True)]
    pieces = list(split_at_markers(answer, markers))
    assert "".join(piece + (marker.text if marker else "") for piece, marker in pieces) == answer
    assert list(split_at_markers("So", [Marker(3, 1)])) == [("So", None)]  # its text hasn't arrived


def test_random_text_is_the_same_wherever_it_is_split() -> None:
    pieces = [*"[]()1290,- .`:!\n^†【】<>", "```", "a", "net sales were 82,959", "passage ", "http://e", "[1]", "and"]
    random_source = random.Random(5)
    for _ in range(2000):
        text = "".join(random_source.choice(pieces) for _ in range(random_source.randint(2, 14)))
        whole, at_once = cite(text, passages=OTHERS)
        letters, one_by_one = cite(text, 1, OTHERS)
        assert letters == whole, text
        assert (one_by_one.claims, one_by_one.invalid_markers) == (at_once.claims, at_once.invalid_markers), text
        assert all(whole[claim.marker.start : claim.marker.end] == claim.marker.text for claim in at_once.claims), text


def test_the_citer_buffers_little_text() -> None:
    citer = Citer(PASSAGES)
    assert citer.feed("[" + "1, " * 200) != ""
    citer = Citer(PASSAGES)
    assert citer.feed("[1](" + "x" * 2000) != ""


def test_a_marker_has_the_span_that_supports_its_claim() -> None:
    text = "Sales rose. The kettle holds 1.7 litres. It boils in 3 minutes.\nA row 5 | 6"
    answer = "It boils in 3 minutes [1]. The kettle holds 1.7 litres. [1] Row 5 has 6 [1]."
    for size in (1, 1000):
        _, citer = cite(answer, size, [passage(1, text)])
        spans = [text[start:end] for start, end in citer.spans(1)]
        assert spans == ["It boils in 3 minutes.", "The kettle holds 1.7 litres.", "A row 5 | 6"]


def test_an_abbreviation_does_not_end_a_sentence() -> None:
    answer, _ = cite("Total net sales of Apple Inc. were $82,959 in the quarter.")
    assert answer == "Total net sales of Apple Inc. were $82,959 in the quarter. [1]"


TABLE = """Operating expenses were as follows (dollars in millions):
Three Months Ended
Research and development $ 6,797 $ 5,717
Selling, general and administrative $ 6,012 $ 5,412
The growth in research and development expense was driven primarily by
increases in headcount and related expenses of U.S. staff. Nothing else changed."""


@pytest.mark.parametrize(
    ("claim", "supporting_text"),
    [
        ("Research and development was $6,797 million.", "Research and development $ 6,797 $ 5,717"),
        ("SG&A, that is selling and administrative, was 6012", "Selling, general and administrative $ 6,012 $ 5,412"),
        (
            "Research grew because of headcount and related expenses.",
            "The growth in research and development expense was driven primarily by\n"
            "increases in headcount and related expenses of U.S. staff.",
        ),
        ("Nothing else changed", "Nothing else changed."),
        (
            "It was 6,797 for research and 6,012 for selling.",
            "Research and development $ 6,797 $ 5,717\nSelling, general and administrative $ 6,012 $ 5,412",
        ),
        ("Quite another matter", TABLE),
        ("", TABLE),
    ],
)
def test_support_is_the_row_or_sentence_of_the_claim(claim: str, supporting_text: str) -> None:
    start, end = SourceText(TABLE).best_span(claim)
    assert TABLE[start:end] == supporting_text


@pytest.mark.parametrize(
    "text", ["", "  \n ", "x", "...", "。。", "a\n\nb", "東京の人口は1400万人です。大阪は880万人です。"]
)
def test_support_is_within_the_text(text: str) -> None:
    for claim in ("", "x", "大阪は880万人", "..."):
        start, end = SourceText(text).best_span(claim)
        assert 0 <= start <= end <= len(text)
    assert "".join(text[start:end] for start, end in sentence_spans(text)).split() == "".join(text.split()).split()


def test_rows_of_a_csv_file_are_not_joined() -> None:
    text = "\n".join(f"ship: Number {n}; cargo: grain from the northern harbour; berth: {n}" for n in "123")
    start, end = SourceText(text).best_span("Ship number 2 carries grain at berth 2.")
    assert text[start:end] == text.splitlines()[1]


def test_text_without_spaces_between_words_is_attributed() -> None:
    answer, _ = cite(
        "大阪の人口は880万人です。", passages=[passage(1, "大阪の人口は880万人です。東京は1400万人です。")]
    )
    assert answer == "大阪の人口は880万人です。 [1]"


def test_a_list_number_is_not_a_figure() -> None:
    answer, _ = cite(
        "1. Total net sales were $82,959 in the quarter.\n2. Research and development expense was 6,797.\n"
    )
    assert answer.count("[1]") == 1
    assert answer.count("[2]") == 1
