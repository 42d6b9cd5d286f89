"""An answer passes through: its finished sentences are checked and get the citations of their evidence."""

from __future__ import annotations

import random

import pytest

from rag.answering.citations.cite import Citer
from rag.answering.citations.markers import Marker, split_at_markers
from rag.answering.verification.support import SourceText, sentence_spans
from rag.answering.verification.verifier import Verifier
from rag.documents import Document, Passage


def passage(number: int, text: str) -> Passage:
    return Passage(number, f"d{number}", "report.pdf", 1, "", 0, len(text), text, 1.0, None, None)


PASSAGES = [
    passage(1, "Total net sales were $ 82,959 in the quarter ended June 25, 2022."),
    passage(2, "Research and development expense was $ 6,797 in the third quarter, mostly for headcount."),
]
OTHERS = [*PASSAGES, passage(3, "As shown before [1], the population grew [12] by 4 percent in 2020.")]


def citer_of(passages: list[Passage]) -> Citer:
    documents = {
        each.document_id: Document(each.document_id, each.document, each.text, (), "text/plain") for each in passages
    }
    return Citer(passages, Verifier(passages, documents))


def cite(text: str, size: int = 1000, passages: list[Passage] | None = None) -> tuple[str, Citer]:
    """Feed the text in pieces of `size` characters; return the answer and the citer."""
    citer = citer_of(PASSAGES if passages is None else passages)
    parts = [citer.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join(parts) + citer.flush(), citer


def verdicts(text: str, passages: list[Passage] | None = None) -> dict[str, bool]:
    answer, citer = cite(text, passages=passages)
    return {answer[sentence.start : sentence.end]: sentence.supported for sentence in citer.sentences}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Net sales were 82,959. [1]", "Net sales were 82,959. [1]"),
        ("Net sales were 82,959 [1].", "Net sales were 82,959. [1]"),
        ("Net sales [1] were 82,959 and so on.", "Net sales were 82,959 and so on. [1]"),
        ("Net sales were 82,959 [2].", "Net sales were 82,959. [1]"),  # the model names the wrong passage
        ("Net sales were 82,959 and research 6,797.", "Net sales were 82,959 and research 6,797. [1][2]"),
        ("Net sales were 82,960 [1].", "Net sales were 82,960."),
        ("Nothing holds this [7].", "Nothing holds this."),
        (
            "Research and development expense was 6,797. It rose.",
            "Research and development expense was 6,797. [2] It rose.",
        ),
        ("The moon is made of green cheese today.", "The moon is made of green cheese today."),
        ("An open bracket [ stays", "An open bracket [ stays"),
        ("A year [2022] is no marker.", "A year [2022] is no marker."),
        ("Thanks [1]", "Thanks [1]"),
    ],
)
def test_citations_are_the_same_wherever_the_text_is_split(text: str, answer: str, size: int) -> None:
    assert cite(text, size)[0] == answer


def test_a_sentence_that_fails_is_recorded_and_has_no_citation() -> None:
    answer, citer = cite("Total net sales were $82,960 in the quarter [1]. Research expense was $6,797 [2].")
    assert [(answer[each.start : each.end], each.supported, each.citations) for each in citer.sentences] == [
        ("Total net sales were $82,960 in the quarter.", False, ()),
        ("Research expense was $6,797.", True, (2,)),
    ]
    assert citer.attribution == {2: False}


def test_the_origin_of_a_marker_is_recorded() -> None:
    _, citer = cite("Total net sales were $82,959 in the quarter. Research expense was 6,797 [2]. And [9].")
    assert citer.attribution == {1: True, 2: False}
    assert citer.invalid_markers == 1


TABLE_ANSWER = """Here it is [1]:

| what | quarter ended June 25, 2022 |
|------|:--:|
| Net sales | $82,959 [1] |
| Research expense [2] | 6,798 |
| a \\| b | no figure |

- Research expense: 6,797 [2]
- Net sales: **82,959**
  1. Net sales: 82,960

## Net sales of 82,959 [1]

> Net sales were 82,959

```
Net sales 82,959 [1]
```
"""


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_marker_never_breaks_a_table_a_list_a_heading_or_code(size: int) -> None:
    answer, citer = cite(TABLE_ANSWER, size)
    assert (
        answer
        == """Here it is: [1]

| what | quarter ended June 25, 2022 |
|------|:--:|
| Net sales | $82,959 [1] |
| Research expense | 6,798 |
| a \\| b | no figure |

- Research expense: 6,797 [2]
- Net sales: **82,959** [1]
  1. Net sales: 82,960

## Net sales of 82,959

> Net sales were 82,959 [1]

```
Net sales 82,959 [1]
```
"""
    )
    assert [(answer[each.start : each.end], each.supported) for each in citer.sentences] == [
        ("$82,959", True),
        ("6,798", False),
        ("Research expense: 6,797", True),
        ("Net sales: **82,959**", True),
        ("Net sales: 82,960", False),
        ("Net sales of 82,959", True),
        ("Net sales were 82,959", True),
    ]


def test_code_is_left_alone() -> None:
    text = "Use `rows[1]` here:\n```python\nprint(rows[1], rows[9])\n```\n"
    answer, citer = cite(text, 1)
    assert answer == text
    assert citer.invalid_markers == 0


def test_without_passages_the_text_is_untouched() -> None:
    text = "A list is written [1, 2, 3] and a footnote [1]."
    assert cite(text, 4, [])[0] == text


@pytest.mark.parametrize("size", [1, 2, 7])
def test_only_text_that_may_end_a_sentence_is_checked(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        TABLE_ANSWER + "Net sales were “82,959”. [1](x.html) Ok! 销售额为 82,959。研究 6,797？ And " + "word " * 1_000
    )
    citer, check, counts, fed_at_once = citer_of(PASSAGES), Verifier.check, [0], 0
    monkeypatch.setattr(Verifier, "check", lambda *arguments: counts.append(counts.pop() + 1) or check(*arguments))
    for start in range(0, len(text), size):
        piece, before = text[start : start + size], counts[0]
        may_check = citer.may_check(piece)
        citer.feed(piece)
        assert may_check or counts[0] == before, text[:start][-60:]
        fed_at_once += not may_check
    assert counts[0] > 8
    assert fed_at_once > 4_000 / size


def test_the_first_word_is_returned_at_once() -> None:
    assert citer_of(PASSAGES).feed("Total") == "Total"


def test_a_sentence_that_breaks_off_has_no_verdict() -> None:
    citer = citer_of(PASSAGES)
    answer = citer.feed("Research expense was 6,797. Net sales were $82,9") + citer.flush(finished=False)
    assert answer == "Research expense was 6,797. [2] Net sales were $82,9"
    assert [answer[each.start : each.end] for each in citer.sentences] == ["Research expense was 6,797."]


@pytest.mark.parametrize(
    ("spelling", "numbers"),
    [
        ("[1][2]", [1, 2]),
        ("[1, 2]", [1, 2]),
        ("[1 and 2]", [1, 2]),
        ("[1-3]", [1, 2, 3]),
        ("【1】", [1]),
        ("【2†source】", [2]),
        ("［3］", [3]),
        ("[^1]", [1]),
        ("[#2]", [2]),
        ("[[3]]", [3]),
        ("[Passage 1]", [1]),
        ("[source 2, 3]", [2, 3]),
        ("[2-9]", [2, 3]),
        ("[0]", []),
        ("[9]", []),
    ],
)
def test_each_spelling_of_a_marker(spelling: str, numbers: list[int]) -> None:
    for size in (1, 1000):
        answer, citer = cite(f"Yes {spelling}.", size, OTHERS)
        assert [claim.number for claim in citer.claims] == numbers
        markers = citer.new_markers()
        assert [answer[marker.start : marker.end] for marker in markers] == [f"[{number}]" for number in numbers]
        assert citer.new_markers() == []
        assert answer == "Yes." + (" " + "".join(f"[{number}]" for number in numbers) if numbers else "")


@pytest.mark.parametrize(
    "text", ["The loss was (1) and (2).", "It lies in [0, 1].", "[p] [passages] [the rest] [", "[1"]
)
def test_what_is_no_marker_stays(text: str) -> None:
    for size in (1, 1000):
        assert cite(text, size, OTHERS)[0] == text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("See [1](http://evil.example/x) there", "See there [1]"),
        ('See [1]( <http://e> "title" ) there', "See there [1]"),
        ("See [1](#source-1-9) and [2](//e.example)", "See and [1][2]"),
        ("See [1](mailto:a@b) and [2](www.e.example)", "See and [1][2]"),
        ("See [1](note) and [2] (that)", "See (note) and (that) [1][2]"),
        ("[1]: http://evil\nSee [1].", ": http://evil [1]\nSee. [1]"),
    ],
)
def test_the_model_cannot_turn_a_marker_into_its_own_link(text: str, answer: str) -> None:
    for size in (1, 1000):
        assert cite(text, size)[0] == answer


def test_a_marker_copied_from_the_document_is_not_a_citation() -> None:
    answer, citer = cite("As shown before [1], the population grew [12].", passages=OTHERS)
    assert answer == "As shown before, the population grew. [3]"
    assert citer.attribution == {3: True}
    assert citer.invalid_markers == 2


def test_the_pieces_of_an_answer_and_its_markers_make_the_answer() -> None:
    answer, citer = cite("Total net sales were $82,959 in the quarter. Research expense was 6,797 [2]. Use `a[1]`.")
    markers = [claim.marker for claim in citer.claims]
    assert [(marker.number, marker.attributed) for marker in markers] == [(1, True), (2, False)]
    pieces = list(split_at_markers(answer, markers))
    assert "".join(piece + (marker.text if marker else "") for piece, marker in pieces) == answer
    assert list(split_at_markers("So", [Marker(3, 1)])) == [("So", None)]  # its text hasn't arrived


def test_random_text_is_the_same_wherever_it_is_split() -> None:
    pieces = [*"[]()1290,- .`:!\n^†【】<>|#", "```", "a", "net sales were 82,959", "passage ", "http://e", "[1]", "and"]
    random_source = random.Random(5)
    for _ in range(1500):
        text = "".join(random_source.choice(pieces) for _ in range(random_source.randint(2, 14)))
        whole, at_once = cite(text, passages=OTHERS)
        letters, one_by_one = cite(text, 1, OTHERS)
        assert letters == whole, text
        assert (one_by_one.claims, one_by_one.sentences) == (at_once.claims, at_once.sentences), text
        assert one_by_one.invalid_markers == at_once.invalid_markers, text
        assert all(whole[claim.marker.start : claim.marker.end] == claim.marker.text for claim in at_once.claims), text
        assert all(whole[each.start : each.end].strip() == whole[each.start : each.end] for each in at_once.sentences)


def test_the_citer_buffers_little_text() -> None:
    citer = citer_of(PASSAGES)
    assert citer.feed("[" + "1, " * 200) != ""
    citer = citer_of(PASSAGES)
    assert citer.feed("[1](" + "x" * 2000) != ""
    assert citer_of(PASSAGES).feed("|" + "x" * 5000) != ""


def test_a_mark_holds_every_figure_of_its_sentence() -> None:
    text = "Sales rose. The kettle holds 1.7 litres. It boils in 3 minutes.\nIt has 5 buttons."
    answer = "It boils in 3 minutes [1]. The kettle holds 1.7 litres. [1] It holds 1.7 litres and has 5 buttons [1]."
    for size in (1, 1000):
        _, citer = cite(answer, size, [passage(1, text)])
        assert [text[start:end] for start, end in citer.spans(1)] == [
            "It boils in 3 minutes.",
            "The kettle holds 1.7 litres.",
            "The kettle holds 1.7 litres. It boils in 3 minutes.\nIt has 5 buttons.",
        ]


def test_an_abbreviation_does_not_end_a_sentence() -> None:
    answer, _ = cite("Total net sales of report Inc. were $82,959 in the quarter.")
    assert answer == "Total net sales of report Inc. were $82,959 in the quarter. [1]"


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


def test_a_very_long_sentence_is_cut_at_the_same_place_however_it_arrives() -> None:
    text = "greater growth " * 68 + "of sales was $ 82,959 in the quarter. It was $ 6,797 in research."
    whole, by_word, by_character = (cite(text, size)[1].sentences for size in (len(text), 7, 1))
    assert whole == by_word == by_character


PORT = passage(1, "Visitors have to report to the harbour office before they moor their boats at the northern quay.")
HALVES = "Visitors have to report to the harbour office after\nthey moor their boats at the northern quay."


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_sentence_goes_on_behind_the_line_break_of_a_paragraph(size: int) -> None:
    answer, citer = cite(f"- {HALVES}\n- A row\n", size, [PORT])
    assert [(answer[each.start : each.end], each.supported) for each in citer.sentences] == [(HALVES, False)]
    true = HALVES.replace("after", "before")
    answer, citer = cite(f"Hello! {true}\n\nBye.", size, [PORT])
    assert [(answer[each.start : each.end], each.supported) for each in citer.sentences] == [(true, True)]


def test_an_abbreviation_ends_no_sentence() -> None:
    text = "Der Hafen ist ca. zwei Kilometer lang. Er liegt bei Nr. vier."
    assert [text[start:end] for start, end in sentence_spans(text)] == [text[:38], text[39:]]
