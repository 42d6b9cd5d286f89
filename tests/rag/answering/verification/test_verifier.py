"""A sentence is supported only if the passages have its figures, dates, names and quoted words in the same roles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.verification.verifier import Verifier
from rag.documents import Document, Page, Passage
from rag.reading.markdown.find_tables import find_markdown_tables

APPLE = """Apple Inc.
Form 10-Q for the quarter ended June 25, 2022
The following table shows net sales by category (in millions):
Three Months Ended
June 25, 2022 June 26, 2021
iPhone $ 40,665 $ 39,570
Mac 7,382 8,235
Services 19,604 17,486
Total net sales $ 82,959 $ 81,434
Operating loss of Other (1,234) 567
Apple's net sales increased 2% during the third quarter of 2022 compared to the third quarter of 2021. The
Company repurchased $21.7 billion of its common stock, and paid dividends of $3,811 million. Timothy Cook said
that “the supply of chips is tight” in this market. A lease ends on March 31, 2031. The Company has 5 segments.
Mac net sales decreased because of fewer people at home, partially offset by higher net sales of MacBook Pro.
"""
NVIDIA = """NVIDIA Corporation
Revenue for the first quarter of fiscal year 2023 was $8.29 billion, up 46% from a year ago and up 8% from the
previous quarter. Income tax expense was $187 million for the quarter, and net income was $1,618 million.
We employ 22,473 people, of whom 39 work in Israel.
"""


def document(identifier: str, name: str, text: str) -> Document:
    return Document(identifier, name, text, (Page(1, 0, len(text)),), "application/pdf")


DOCUMENTS = {"a": document("a", "AAPL.pdf", APPLE), "n": document("n", "NVDA.pdf", NVIDIA)}


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    passages = [
        Passage(number, each.id, each.name, 1, "", 0, len(each.text), each.text, 1.0, None, None)
        for number, each in enumerate(DOCUMENTS.values(), start=1)
    ]
    return Verifier(passages, DOCUMENTS)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Apple's total net sales were $82,959 million.", "Total net sales $ 82,959"),
        ("Total net sales came to about $82.96 billion in the third quarter of 2022.", "Total net sales $ 82,959"),
        ("Total net sales were $82,959.", "Total net sales $ 82,959"),
        ("iPhone sales were $40,665 million, while Services brought 19,604 million.", "iPhone"),
        ("Mac sales fell from $8,235 million in 2021 to $7,382 million in 2022.", "Mac 7,382"),
        ("The operating loss of Other was $1,234 million.", "Operating loss of Other"),
        ("Apple bought back $21.7 billion of its common stock.", "repurchased $21.7 billion"),
        ("It repurchased $21,700 million of common stock and paid dividends of $3.81 billion.", "dividends"),
        ("NVIDIA's revenue was $8.29 billion in the first quarter of fiscal year 2023.", "Revenue"),
        ("Revenue rose 46 percent from a year ago.", "46%"),
        ("Cook said “the supply of chips is tight”.", "chips"),
        ("A lease ends on 31 March 2031.", "lease"),
        ("NVIDIA employs 22,473 people.", "22,473"),
    ],
)
def test_a_true_sentence_has_its_evidence(verifier: Verifier, sentence: str, source: str) -> None:
    verdict = verifier.check(sentence)
    assert verdict
    assert verdict.supported
    texts = {1: APPLE, 2: NVIDIA}
    assert any(source in texts[each.number][each.start : each.end] for each in verdict.evidence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Apple's total net sales were $82,959 billion.",  # the scale
        "Apple's total net sales were $81,434 million in 2022.",  # the other column
        "Total net sales were $40,665 million.",  # another row
        "Services sales were $7,382 million.",
        "Apple's total net sales were $82,995 million.",
        "NVIDIA's total net sales were $82,959 million.",  # the other company
        "Microsoft's total net sales were $82,959 million.",
        "NVIDIA's net income was $187 million.",  # another part of the sentence
        "NVIDIA's revenue was $1,618 million.",
        "Revenue was up 8% from a year ago, and up 46% from the previous quarter.",
        "Apple's net sales increased 46% during the third quarter of 2022.",
        "Total net sales were 82,959%.",
        "Total net sales were €82,959 million.",
        "Apple paid dividends of $21.7 billion.",
        "Cook said “the supply of chips is good”.",
        "Revenue was down 46% from a year ago.",
        "Mac net sales increased because of fewer people at home.",
        "A lease ends on March 31, 2030.",
        "Tim Smith said that chips are scarce in this market.",
        "The company has 39 segments.",
        "The moon is made of green cheese.",
    ],
)
def test_a_wrong_sentence_fails(verifier: Verifier, sentence: str) -> None:
    verdict = verifier.check(sentence)
    assert verdict
    assert not verdict.supported
    assert verdict.evidence == ()


@pytest.mark.parametrize(
    "sentence",
    ["Sure.", "Here it is:", "Is there anything else that you would like to know?", "", "5",
     "The documents do not mention Microsoft.", "I could not find this information in the passages."],
)  # fmt: skip
def test_what_claims_nothing_has_no_verdict(verifier: Verifier, sentence: str) -> None:
    assert verifier.check(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("The documents do not mention that a lease ends on March 31.", False),
        ("The report does not say that the Company repurchased common stock.", False),
        ("The Company does not pay dividends.", False),  # a claim, not what the documents don't say
        ("Die Dokumente enthalten keine Angaben zu Microsoft.", None),
        ("The number of patents is not specified.", None),
    ],
)
def test_a_sentence_that_denies_something_is_a_claim(verifier: Verifier, sentence: str, supported: bool | None) -> None:
    verdict = verifier.check(sentence)
    assert (verdict and verdict.supported) == supported


def test_page_furniture_is_no_evidence() -> None:
    """The number of a page isn't the number of anything else."""
    pages = [f"Annual report of employees\nWe hired people in Israel, part {n}.\n{n}\n" for n in range(37, 41)]
    text, spans = "".join(pages), []
    for number, page in enumerate(pages, start=1):
        start = spans[-1].end if spans else 0
        spans.append(Page(number, start, start + len(page)))
    report = Document("r", "report.pdf", text, tuple(spans), "application/pdf")
    passage = Passage(1, "r", "report.pdf", 3, "", spans[2].start, spans[2].end, pages[2], 1.0, None, None)
    verdict = Verifier([passage], {"r": report}).check("There are 39 employees in Israel.")
    assert verdict
    assert not verdict.supported


FISCAL = """NVIDIA Corporation
Our fiscal year ended January 29, 2023. A fiscal year ended January 30, 2022 before it.

| (In millions) | Three months ended April 30, 2023 | Three months ended May 1, 2022 | Three months ended May 2, 2021 |
|---|---|---|---|
| Gross profit | $ 4,648 | $ 5,431 | $ 3,629 |

| (In millions) | Year ended January 29, 2023 |
|---|---|
| Net sales | $ 41,598 |

The H100 has 80 billion transistors. Revenue was $26.91 billion in fiscal 2022, up 61% from a year ago. Revenue was
$26.97 billion in fiscal 2023, up 0.2%.
"""


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("Gross profit was $4,648 million in the first quarter of fiscal year 2024.", True),
        ("Gross profit was $4,648 million in Q1 FY24.", True),
        ("Gross profit was $5,431 million in the first quarter of fiscal 2023.", True),
        ("Gross profit was $4,648 million in the three months ended April 30, 2023.", True),
        (
            "Gross profit was $4,648 million in the first quarter of fiscal 2024, down from $5,431 million a year ago.",
            True,
        ),
        ("In 2023, gross profit was $4,648 million, compared with $5,431 million in the prior year.", True),
        ("In 2022, gross profit was $4,648 million, compared with $5,431 million in the prior year.", False),
        ("Gross profit was $5,431 million in the first quarter of fiscal year 2024.", False),
        ("Gross profit was $4,648 million in the second quarter of fiscal year 2024.", False),
        ("Gross profit was $4,648 million in the first quarter of fiscal year 2025.", False),
        ("Gross profit was $4,648 million in fiscal year 2024.", False),
        (
            "Gross profit was $4,648 million in the first quarter of fiscal 2024, up from $3,629 million a year ago.",
            False,
        ),
        ("Revenue for fiscal 2023 was $26.97 billion, up 61% from a year ago.", False),
        (
            "In the second quarter, gross profit was $4,648 million, more than in the first quarter of fiscal 2024.",
            False,
        ),
        ("In 2021, gross profit was $4,648 million, less than in the first quarter of fiscal 2024.", False),
        ("Net sales were $41,598 million in the fourth quarter of fiscal 2023.", False),
        ("The H100 has 80 billion transistors.", True),
        ("The H200 has 80 billion transistors.", False),
    ],
)
def test_a_fiscal_quarter_is_that_of_the_column(sentence: str, supported: bool) -> None:
    tables = tuple(find_markdown_tables(FISCAL))
    source = replace(document("f", "NVDA.pdf", FISCAL), tables=tables)
    passage = Passage(1, "f", "NVDA.pdf", 1, "", 0, len(FISCAL), FISCAL, 1.0, None, None)
    verdict = Verifier([passage], {"f": source}).check(sentence)
    assert verdict is not None
    assert verdict.supported == supported


TRIAL = """We did not find evidence of harm in the trial. The company does not provide information about its suppliers.
The gate, however, is not locked at night. Visitors may feed the goats.
"""
HARBOUR = "港口允许船只停靠。夜间不开放码头。"


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("We did not find evidence of harm in the trial.", True),
        ("The company does not provide information about its suppliers.", True),
        ("The company provides information about its suppliers.", False),
        ("The gate is not locked at night.", True),
        ("The gate is locked at night.", False),
        ("Only visitors may feed the goats.", False),
        ("港口允许船只停靠。", True),
        ("港口禁止船只停靠。", False),
        ("港口不允许船只停靠。", False),
        ("夜间开放码头。", False),
    ],
)
def test_a_source_must_deny_the_same(sentence: str, supported: bool) -> None:
    text = TRIAL if sentence.isascii() else HARBOUR
    passage = Passage(1, "t", "trial.txt", 1, "", 0, len(text), text, 1.0, None, None)
    verdict = Verifier([passage], {"t": document("t", "trial.txt", text)}).check(sentence)
    assert verdict is not None
    assert verdict.supported == supported
