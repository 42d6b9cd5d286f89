"""Counts, durations and other quantities with a unit."""

from __future__ import annotations

from tests.rag.scoring.cases.case import cases

COUNT = "How many shares did Apple repurchase?"
SEGMENTS = "How many segments does the company have?"

QUANTITIES = [
    *cases(
        COUNT,
        "408 million shares",
        right=(
            "408 million shares",
            "408 million",
            "Apple repurchased 408 million shares of its common stock for $64.7 billion.",
            "Apple spent $64.7 billion to repurchase 408 million shares.",
        ),
        wrong=("$408 million", "408 shares", "$64.7 billion", "Apple repurchased 143 million shares for $408 million."),
    ),
    *cases(
        "How many employees did the company have in 2022?",
        "2022",
        right=("2022 employees", "2,022", "In 2022 the company had 2,022 employees."),
        wrong=("In 2022 the company had 2,122 employees.", "1,022"),
    ),
    *cases(
        "What is the range of the useful life?",
        "3 to 5 years",
        right=("3 to 5 years", "Three to five years (3-5 years)", "3–5 years", "between 3 and 5 years"),
        wrong=("3 years", "3 to 7 years", "5 years"),
    ),
    *cases(
        "How many cranes does the harbour have?",
        "12",
        right=(
            "12",
            "Twelve (12).",
            "The harbour has 12 cranes.",
            "12 cranes on 3 quays",
            "There are 12 cranes, 4 of which are mobile.",
        ),
        wrong=("13", "The harbour has 3 cranes on 12 quays.", "120", "12 million", "12 or 13 cranes", "12%"),
    ),
    *cases(
        "How long is the term of the lease?",
        "5 years",
        right=("5 years", "The term is 5 years, with an option for 3 more.", "five (5) years"),
        wrong=("5 months", "15 years", "3 years"),
    ),
    *cases(
        "What is the exchange rate?",
        "1.0850",
        right=("1.0850", "1.085", "EUR 1 = USD 1.0850"),
        wrong=("1.0580", "10.85"),
    ),
    *cases(
        "What is the population?",
        "8.4 Millionen",
        right=("8,4 Millionen", "8.4 million", "8,400,000"),
        wrong=("84 Millionen", "8,4 Milliarden"),
    ),
    *cases(
        "¿Cuántos empleados tiene?",
        "1.254.000",
        right=("1.254.000", "1,254,000 empleados", "Tiene 1.254.000 empleados.", "1 254 000"),
        wrong=("1.254", "1.245.000"),
    ),
    *cases(
        "How many days' notice must the tenant give?",
        "30 days",
        right=("30 days", "The tenant must give 30 days' written notice.", "thirty (30) days", "at least 30 days"),
        wrong=("60 days", "3 days", "30 months", "30 or 60 days"),
    ),
    *cases(
        "How old is the building?",
        "over 100 years",
        right=("over 100 years", "The building is over 100 years old.", "It's more than 100 years old."),
        wrong=("over 10 years", "200 years"),
    ),
    *cases(
        "What temperature is needed?",
        "180 °C",
        right=("180 °C", "180°C", "180 degrees Celsius", "Preheat to 180 °C (350 °F)."),
        wrong=("350 °F", "160 °C", "180 °C or 200 °C"),
    ),
    *cases(
        "How many employees?",
        "about 1,600,000",
        right=("1.6 million", "1,600,000", "approximately 1.6 million full-time and part-time employees"),
        wrong=("1.5 million", "16 million", "1.6 billion"),
    ),
    *cases("For how long may it be used?", "used for 14 days", right=("14 days",), wrong=("4 days",)),
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
    *cases("How much debt is there?", "None", right=("There is no debt.", "None."), wrong=("$10 million",)),
    *cases("How long is it?", "three months", right=("3 months", "Three months."), wrong=("6 months", "3 days")),
    *cases("How long is it?", "18 months", right=("eighteen months", "18-month"), wrong=("eighteen days",)),
    *cases("How many cranes are there?", "12", right=("No one knows exactly, but there are twelve.",), wrong=("one",)),
    *cases("What is the dose?", "5 mg", right=("5 mg", "5mg", "A dose of 5 mg."), wrong=("5 g", "5 µg", "5 ml")),
    *cases("What is the dose?", "5 g", right=("5 g",), wrong=("5 kg", "5 mg", "5 l")),
    *cases("What is the volume?", "2 l", right=("2 l", "2 L"), wrong=("2 ml", "2 g")),
    *cases(
        "What is the notice?",
        "at least 30 days",
        right=("at least 30 days", "30 days", "not less than 30 days", "a minimum of 30 days"),
        wrong=("at most 30 days", "no more than 30 days", "up to 30 days"),
    ),
    *cases("What is the weight?", "5 lb", right=("5 lbs", "5 lb"), wrong=("5 kg",)),
    *cases("How long is the term?", "10-year term", right=("10 years", "It's a 10-year term."), wrong=("10 months",)),
    *cases("How long is the term?", "12-month", right=("12 months", "12-month"), wrong=("12 days", "2 months")),
    *cases("How long is it?", "six months to one year", right=("6 months to 1 year",), wrong=("6 to 12 weeks",)),
]
