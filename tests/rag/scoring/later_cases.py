"""Answers that people would mark by hand, which had the wrong mark: of signs, yes and no, numbers, units and lists."""

from __future__ import annotations

from tests.rag.scoring.cases import cases

MAC = "How did Mac net sales change?"
RESULT = "What was the result of the segment?"
SEGMENTS = "How many segments does the company have?"
DECLARED = "When was the dividend declared?"
INCOME = "What was the operating income?"
GOLD_INCOME = "$23,076 million"

SIGN_CASES = [
    *cases(
        MAC,
        "decreased by 10%",
        right=("Mac net sales decreased by 10%.", "They fell 10%.", "-10%", "Down 10%", "(10)%"),
        wrong=("They rose 10%.", "Mac net sales increased by 10%.", "+10%", "They fell 11%."),
    ),
    *cases(
        MAC,
        "a 10% decline",
        right=("A 10% decline.", "Mac net sales decreased by 10%."),
        wrong=("A 10% increase.", "Mac net sales rose 10%."),
    ),
    *cases(
        MAC,
        "increased by 10%",
        right=("They rose 10%.", "10%", "Mac net sales increased by 10%."),
        wrong=("They fell 10%.", "-10%"),
    ),
    *cases(
        RESULT,
        "a loss of $5 million",
        right=(
            "$(5) million",
            "A $5 million loss.",
            "a loss of $5 million",
            "-$5 million",
            "The segment lost $5 million.",
        ),
        wrong=("a profit of $5 million", "$5 million of profit", "a loss of $6 million"),
    ),
    *cases(
        "What was the result?", "ein Verlust von 5 Millionen Euro", right=("-5 Mio. €",), wrong=("5 Mio. € Gewinn",)
    ),
    *cases(
        RESULT, "a $5 million loss", right=("a loss of $5 million", "-$5 million"), wrong=("a profit of $5 million",)
    ),
    *cases(
        RESULT, "income (loss) of $5 million", right=("$5 million", "$5 million of income"), wrong=("$(5) million",)
    ),
    *cases("For how long may it be used?", "used for 14 days", right=("14 days",), wrong=("4 days",)),
    *cases(
        "What drove it?", "a decline in units of 5%", right=("units fell 5%",), wrong=("an increase in units of 5%",)
    ),
]

YES_NO_CASES = [
    *cases(
        "Did the company pay a dividend in 2023?",
        "yes",
        right=(
            '{"answer": true}',
            '{"answer": "yes"}',
            '{"answer": "Yes", "reason": "It paid $99 million."}',
            '"yes"',
            "Answer: Yes",
            "**Answer:** Yes, it did.",
            "The answer is yes.",
            "The answer is: Yes.",
            '{"answerable": true, "answer": "yes"}',
            "Yes or no: yes",
            "No doubt, yes.",
            "Without a doubt, yes.",
            "Die Antwort ist ja.",
        ),
        wrong=(
            '{"answer": false}',
            '{"answer": "no"}',
            "Answer: No",
            "The answer is no.",
            "No doubt, no.",
            "No doubt about it.",
            '{"answer": null}',
            "The board said yes.",
            '{"answerable": true, "answer": "no"}',
            "Yes or no: no",
        ),
    ),
    *cases(
        "Did Apple disclose the terms?",
        "No",
        right=(
            '{"answer": false}',
            "Answer: No",
            "The answer is no.",
            "No, Apple did not disclose the terms.",
            "No. Apple did not disclose the terms.",
            "No, the terms were not disclosed.",
        ),
        wrong=(
            '{"answer": true}',
            "Answer: Yes",
            "No doubt, yes.",
            "The documents do not mention the terms.",
            "No, the passages don't mention it.",
        ),
    ),
    *cases(
        "According to the filing, did Apple disclose the terms?",
        "No",
        right=("No, Apple did not disclose the terms.",),
        wrong=("The filing doesn't say whether Apple disclosed the terms.",),
    ),
]

REFUSAL_CASES = [
    *cases(
        INCOME,
        GOLD_INCOME,
        right=(
            "According to the filing, operating income was $23,076 million, which does not include other income.",
            "Based on the report, operating income was $23,076 million and did not include other income.",
        ),
        wrong=(
            "According to the filing, operating income is not disclosed in the document.",
            "The filing does not provide the operating income for 2022.",
        ),
    ),
    *cases(
        "How many days of holiday do employees get?",
        "30 days",
        right=("The document says employees get 30 days; public holidays are not included.",),
        wrong=("The document doesn't say how many days employees get.",),
    ),
    *cases(
        "What were iPhone net sales?",
        "$40,665 million",
        right=("Apple does not break out iPhone units; net sales were $40,665 million.",),
        wrong=("Apple does not break out iPhone net sales.",),
    ),
    *cases(
        "What doesn't the warranty cover?",
        "accidental damage",
        right=(
            "According to the document, the warranty does not cover accidental damage.",
            "Per the contract, the warranty doesn't cover accidental damage.",
        ),
        wrong=("According to the document, the warranty does not cover theft.",),
    ),
]

NUMBER_CASES = [
    *cases(
        SEGMENTS,
        "3",
        right=("Three segments.", "three", "The company has three segments.", "It has 3 segments."),
        wrong=("Two segments.", "four", "thirteen", "Thirty-three segments.", "Three hundred segments."),
    ),
    *cases(SEGMENTS, "three", right=("3", "Three.", "It has 3 segments."), wrong=("4", "two")),
    *cases(
        "How many stores were opened?",
        "24",
        right=("twenty-four stores", "Twenty four stores were opened."),
        wrong=("twenty stores", "forty-two stores", "twenty-five stores"),
    ),
    *cases("How long is the notice?", "ten days", right=("10 days", "Ten days."), wrong=("ten months", "11 days")),
    *cases("How long is the notice?", "10 days", right=("ten days",), wrong=("twelve days",)),
    *cases(
        "How many incidents were there?",
        "0",
        right=("None", "None.", "Zero.", "There were none.", "0"),
        wrong=("One.",),
    ),
    *cases("How many incidents were there?", "None", right=("0", "zero", "None."), wrong=("One.", "10")),
    *cases(
        "How much debt is there?", "$0", right=("None.", "There is no debt.", "$0"), wrong=("$10", "No, it has $1.")
    ),
    *cases("How much debt is there?", "None", right=("There is no debt.", "None."), wrong=("$10 million",)),
    *cases("How long is it?", "three months", right=("3 months", "Three months."), wrong=("6 months", "3 days")),
    *cases("How long is it?", "18 months", right=("eighteen months", "18-month"), wrong=("eighteen days",)),
    *cases("Who supplies it?", "Three Mile Inc", right=("Three Mile Inc",), wrong=("3 others", "Three Rivers Inc")),
    *cases("How many cranes are there?", "12", right=("No one knows exactly, but there are twelve.",), wrong=("one",)),
]

UNIT_CASES = [
    *cases("What is the dose?", "5 mg", right=("5 mg", "5mg", "A dose of 5 mg."), wrong=("5 g", "5 µg", "5 ml")),
    *cases("What is the dose?", "5 g", right=("5 g",), wrong=("5 kg", "5 mg", "5 l")),
    *cases("What is the volume?", "2 l", right=("2 l", "2 L"), wrong=("2 ml", "2 g")),
    *cases(
        "When does the market open?",
        "9:30 a.m.",
        right=("9:30 a.m.", "At 9:30 am.", "9:30 AM", "9:30"),
        wrong=("9:30 p.m.", "At 9:30 PM."),
    ),
    *cases(
        "What is the notice?",
        "at least 30 days",
        right=("at least 30 days", "30 days", "not less than 30 days", "a minimum of 30 days"),
        wrong=("at most 30 days", "no more than 30 days", "up to 30 days"),
    ),
    *cases(
        "What share do they hold?",
        "less than 1%",
        right=("Less than 1%.", "under 1%", "They hold less than 1%."),
        wrong=("More than 1%.", "over 1%"),
    ),
    *cases(
        "Which index is it compared with?", "S&P 500", right=("S&P 500", "The S&P 500."), wrong=("Fortune 500", "500")
    ),
    *cases("On which page is it?", "Page 12", right=("12", "page 12", "On page 12."), wrong=("Page 21",)),
    *cases("What is the fee?", "EUR 500", right=("€500", "500 euros"), wrong=("$500",)),
    *cases("What is the weight?", "5 lb", right=("5 lbs", "5 lb"), wrong=("5 kg",)),
    *cases("When does it close?", "9:30 p.m.", right=("9:30 pm", "21:30", "9:30"), wrong=("9:30 a.m.",)),
    *cases("Which aircraft does it fly?", "Boeing 737", right=("The Boeing 737.",), wrong=("Airbus 737", "Boeing 747")),
]

IDENTIFIER_CASES = [
    *cases("What was revenue?", "EUR4.6 billion", right=("€4.6 billion", "EUR 4.6 billion"), wrong=("$4.6 billion",)),
    *cases("What was revenue?", "USD1.2 million", right=("$1.2 million", "USD 1.2 million"), wrong=("€1.2 million",)),
    *cases("What was revenue?", "CHF12 million", right=("CHF 12 million",), wrong=("CHF 12 billion",)),
    *cases("How long is the term?", "10-year term", right=("10 years", "It's a 10-year term."), wrong=("10 months",)),
    *cases("How long is the term?", "12-month", right=("12 months", "12-month"), wrong=("12 days", "2 months")),
    *cases(
        "When did it open?",
        "Q3 2022",
        right=("the third quarter of 2022", "Q3 2022", "In Q3 of 2022."),
        wrong=("the second quarter of 2022", "the third quarter of 2021", "2022"),
    ),
    *cases("Which quarter?", "third quarter", right=("Q3", "the third quarter"), wrong=("Q2",)),
    *cases("Which quarter?", "the third quarter of 2022", right=("Q3 2022",), wrong=("Q3 2021", "Q3")),
    *cases(
        "Which years are covered?", "2021-2023", right=("From 2021 to 2023", "2021-2023", "2021–2023"), wrong=("2021",)
    ),
]

LIST_CASES = [
    *cases(
        "Which segments does NVIDIA have?",
        "Compute & Networking and Graphics",
        right=(
            "- Compute & Networking\n- Graphics",
            "1. Graphics\n2. Compute & Networking",
            "NVIDIA has two segments:\n\n* Compute & Networking\n* Graphics",
        ),
        wrong=("- Compute & Networking", "- Graphics\n- Gaming", "- Compute & Networking\n- not Graphics"),
    ),
    *cases("What is the currency?", "The euro", right=("Euro", "The euro.", "euros"), wrong=("dollar",)),
    *cases("What is the currency?", "euro", right=("euros", "the euro"), wrong=("European",)),
    *cases(
        "What is the year of incorporation?",
        "1993",
        right=("It was founded in 1993.", "1993"),
        wrong=("It was founded in 1999.",),
    ),
    *cases(
        DECLARED,
        "March 15, 2023",
        right=(
            "declared on March 15, 2023 and paid on March 30, 2023",
            "It was declared on March 15, 2023.",
            "March 15, 2023",
        ),
        wrong=("It was declared on March 30, 2023 and paid on March 15, 2023.",),
    ),
    *cases(
        "When was the company founded?",
        "1993",
        right=(
            "Founded in 1993, the company went public in 1999.",
            "In 1993 the company was founded; in 1999 it went public.",
            "The company went public in 1999 but was founded in 1993.",
        ),
        wrong=("The company was founded in 1999 and moved in 1993.",),
    ),
    *cases(
        "When was the dividend paid?",
        "March 15, 2023",
        right=("declared on March 1, 2023 and paid on March 15, 2023",),
        wrong=("declared on March 15, 2023 and paid on March 30, 2023",),
    ),
    *cases(
        INCOME,
        GOLD_INCOME,
        right=(
            '{"unit": "USD", "scale": "millions", "value": 23076}',
            '{"value": 23076, "currency": "USD", "unit": "million", "period": "Q2"}',
            '{"value": 23076, "unit": "USD", "scale": "millions"}',
            '{"value": 23076, "scale": "millions"}',
        ),
        wrong=('{"value": 23076, "unit": "EUR", "scale": "millions"}', '{"value": 23076, "unit": "USD"}'),
    ),
    *cases(
        "When is the dividend payable?",
        "March 15, 2023",
        right=("The dividend was declared on March 1, 2023 and will be paid on March 15, 2023.",),
        wrong=("The dividend is payable on March 30, 2023, and the record date is March 15, 2023.",),
    ),
    *cases(
        "When was it filed?",
        "August 2, 2023",
        right=(
            "The report for the quarter ended June 30, 2023 was filed on August 2, 2023.",
            "Filed: August 2, 2023. Period ended: June 30, 2023.",
        ),
        wrong=("The report for the quarter ended August 2, 2023 was filed on August 30, 2023.",),
    ),
    *cases(
        "On what date was the notes offering completed?",
        "March 1, 2021",
        right=("The offering of notes, announced February 20, 2021, was completed on March 1, 2021.",),
        wrong=("The notes offering was completed on March 31, 2021.",),
    ),
    *cases("When is it due?", "the end of the fourth quarter of 2025", right=("end of Q4 2025",), wrong=("Q4 2025",)),
    *cases("How long is it?", "six months to one year", right=("6 months to 1 year",), wrong=("6 to 12 weeks",)),
    *cases(
        "Who is the chief executive?",
        "Tim Cook",
        right=("Tim Cook is the chief executive; the document does not cover his pay.",),
        wrong=("The document does not say who is the chief executive; it names Tim Cook as a director.",),
    ),
]

LATER_CASES = [
    *SIGN_CASES,
    *YES_NO_CASES,
    *REFUSAL_CASES,
    *NUMBER_CASES,
    *UNIT_CASES,
    *IDENTIFIER_CASES,
    *LIST_CASES,
]
