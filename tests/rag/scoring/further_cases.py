"""Further answers that people would mark by hand, written when the first ones were right already.

Before anything was changed for them, 28 of them had the wrong mark.
"""

from __future__ import annotations

from tests.rag.scoring.cases import cases

NET_SALES = "What were Apple's total net sales in the third quarter of 2022?"
RESEARCH = "How much did Apple spend on research and development in the three months ended June 25, 2022?"
TAX = "What was the effective tax rate in the first quarter of fiscal 2024?"
OPERATING_INCOME = "What was Amazon's operating income in the second quarter of 2023?"
SHARE_OF_SALES = "What was AWS's share of total net sales in Q2 2023?"
INVENTORY = "How much inventory did NVIDIA have on April 30, 2023?"
NET_LOSS = "What was Amazon's net loss in the second quarter of 2022?"

FURTHER_CASES = [
    *cases(
        NET_SALES,
        "$82,959 million",
        right=(
            "Apple's total net sales in the third quarter of 2022 were $82,959 million, an increase of 2% from"
            " $81,434 million in the third quarter of 2021 [1].",
            "Total net sales were $82,959 million: $63,355 million from products and $19,604 million from services.",
            "Total net sales were $63,355 million (products) plus $19,604 million (services), or $82,959 million"
            " in total.",
            "In Q3 2022, Apple had total net sales of $82,959 million (Q3 2021: $81,434 million).",
            "Total net sales: $82,959 million vs. $81,434 million in the prior year quarter.",
            "$82.96 billion",
            "$83.0 billion",
            "82,959 (in millions of dollars)",
            "The figure is $82,959 million; for nine months, it was $304,182 million.",
            "Total net sales in Q3 2022 increased 2% year over year to $82,959 million from $81,434 million.",
            "Based on passage [1], total net sales were $82,959 million for the three months ended June 25,"
            " 2022. For the nine months ended June 25, 2022, they were $304,182 million.",
            "| Period | Total net sales |\n|---|---|\n| Q3 2022 | $82,959 million |\n| Q3 2021 | $81,434 million |",
            "The total net sales for the third quarter of 2022 were $\\$82,959 \\text{ million}$.",
            "\\boxed{82{,}959 \\text{ million}}",
            "Total net sales were 82 959 million dollars.",
            "82.959 billion U.S. dollars",
        ),
        wrong=(
            "Apple's total net sales were $304,182 million.",
            "Total net sales were $82,959.",
            "$83 million",
            "$82,959 thousand",
            "Total net sales were $81,434 million in the third quarter of 2022, and $82,959 million in the third"
            " quarter of 2021.",
            "$63,355 million from products and $19,604 million from services.",
            "Total net sales were $82,595 million.",
            "Total net sales were about $82 billion.",
        ),
    ),
    *cases(
        RESEARCH,
        "$6,797 million",
        right=(
            "Apple spent $6,797 million on R&D, 19% more than the $5,717 million a year earlier.",
            "Research and development expense was $6,797 million, or 8% of net sales.",
            "R&D: $6.8 billion",
            "Research and development expense increased by $1,080 million to $6,797 million.",
            "Operating expenses were $12,809 million, of which research and development was $6,797 million.",
            "(6,797) million",
            "Six thousand seven hundred ninety-seven million dollars ($6,797 million)",
        ),
        wrong=(
            "Research and development expense was $12,809 million, which includes $6,797 million.",
            "$5,717 million",
            "$6,797 million was spent in 2021.",
            "$6,012 million for selling, general and administrative, and $5,717 million for research and development.",
            "19%",
        ),
    ),
    *cases(
        TAX,
        "7.5%",
        right=(
            "7.5%",
            "7.5 % (10.3% in the first quarter of fiscal 2023)",
            "The effective tax rate was 7.5%, lower than the U.S. federal statutory rate of 21%.",
            "Income tax was $166 million, or 7.5% of income before tax.",
            "The effective tax rates were 7.5% and 10.3% for the first quarter of fiscal years 2024 and 2023,"
            " respectively.",
            "7.5% in Q1 FY2024 versus 10.3% in Q1 FY2023",
            "0.075, i.e. 7.5%",
        ),
        wrong=(
            "10.3%",
            "21%",
            "7.5% or 10.3%",
            "The effective tax rates were 10.3% and 7.5% for the first quarter of fiscal years 2024 and 2023,"
            " respectively.",
            "75%",
            "$7.5 million",
            "The rate rose 7.5 percentage points.",
        ),
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
        "What is the dividend per share?",
        "$0.04",
        right=("$0.04", "4 cents", "$0.04 per share, $99 million in total", "0.04 USD", "$.04"),
        wrong=("$0.40", "$4", "$99 million", "0.04%"),
    ),
    *cases(
        "What was the change in inventories?",
        "(549) million",
        right=(
            "-549 million",
            "A decrease of $549 million",
            "$(549) million",
            "($549) million",
            "Inventories decreased by $549 million.",
        ),
        wrong=("549 million", "An increase of $549 million", "Inventories rose $549 million."),
    ),
    *cases(
        "What was the operating margin?",
        "-3.2%",
        right=("-3.2%", "(3.2)%", "−3.2 %", "negative 3.2%", "minus 3.2 percent", "The operating margin was (3.2%)."),
        wrong=("3.2%", "3.2 percent", "-32%"),
    ),
    *cases(
        "How much did revenue grow?",
        "13%",
        right=("13%", "Revenue grew 13%, from $8.3 billion to $9.4 billion.", "by 13 percent", "up 13 %"),
        wrong=("Revenue fell 13%.", "-13%", "31%", "Revenue decreased by 13%."),
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
        "When did the agreement take effect?",
        "2021-03-01",
        right=(
            "March 1, 2021",
            "1 March 2021",
            "It took effect on March 1, 2021, and ends on February 28, 2026.",
            "1. März 2021",
            "03/01/2021",
        ),
        wrong=("March 2021", "March 11, 2021", "March 1, 2012", "1 April 2021"),
    ),
    *cases(
        "When was the last audit?",
        "March 2021",
        right=("March 2021", "in March of 2021", "On 15 March 2021"),
        wrong=("March 2022", "2021", "May 2021"),
    ),
    *cases(
        "What time does the office open?",
        "9:30",
        right=("9:30", "At 9:30 a.m.", "from 9:30 to 17:00"),
        wrong=("9:00", "10:30", "19:30"),
    ),
    *cases(
        "Which article applies?",
        "Article 17(3)",
        right=("Article 17(3)", "article 17(3) applies"),
        wrong=("Article 17(2)", "Article 3(17)", "Article 16(3)"),
    ),
    *cases(
        "What is the part number?",
        "AB-1234-X",
        right=("AB-1234-X", "The part number is ab-1234-x."),
        wrong=("AB-1243-X", "AB-1234", "AB-1234-Y"),
    ),
    *cases(
        "Which version fixed it?",
        "2.10.3",
        right=("2.10.3", "Version 2.10.3", "v2.10.3"),
        wrong=("2.1.3", "2.10.4", "2.10"),
    ),
    *cases(
        "What is the phone number?",
        "+1 408-486-2000",
        right=("+1 408-486-2000", "Call +1 408-486-2000."),
        wrong=("+1 408-486-2001", "408"),
    ),
    *cases(
        "Which companies supply it?",
        "TSMC and Samsung",
        right=("TSMC and Samsung", "Samsung and TSMC", "TSMC, Samsung"),
        wrong=("TSMC", "Samsung", "Intel and Samsung"),
    ),
    *cases(
        "Is the lease renewable?",
        "Yes",
        right=("Yes, twice.", "Yes – the tenant may renew it."),
        wrong=("No.", "The tenant may not renew it."),
    ),
    *cases(
        "What colour is the light?",
        "green",
        right=("Green", "It's green.", "The light is green (not red)."),
        wrong=("red", "not green", "evergreen", "green or red"),
    ),
    *cases(
        OPERATING_INCOME,
        "$7,681 million",
        right=(
            "$7.681 bn",
            "USD 7,681m",
            "~$7.7B",
            "$7,681M (7.7B)",
            "Amazon's operating income in the second quarter of 2023 was $7.7 billion, compared with an"
            " operating income of $3.3 billion in the second quarter of 2022 [1][3].",
            "In Q2 2023, operating income increased to $7,681 million from $3,317 million in Q2 2022, an"
            " increase of 132%.",
            "Operating income was $7,681 million. This includes North America ($3,211 million), International"
            " ($(895) million) and AWS ($5,365 million).",
            "Amazon reported operating income of 7,681 (in millions) for the three months ended June 30, 2023.",
            "The operating income was approximately $7.68 billion USD.",
            "**Answer:** $7,681 million\n\n**Source:** Passage [2], page 4",
            "Operating income (Q2 2023): $7,681 million\nOperating income (Q2 2022): $3,317 million",
            "According to the consolidated statements of operations, operating income for Q2 2023 was $7,681"
            " million, up from $3,317 million a year earlier. For the first six months, it was $12,455 million"
            " versus $6,986 million.",
            "Amazon’s operating income more than doubled to $7,681 million.",
            "Das Betriebsergebnis von Amazon lag im zweiten Quartal 2023 bei 7,681 Milliarden US-Dollar"
            " (Vorjahr: 3,317 Milliarden US-Dollar).",
            "Le résultat opérationnel d'Amazon s'élevait à 7 681 millions de dollars au deuxième trimestre 2023,"
            " contre 3 317 millions un an plus tôt.",
            "El resultado operativo fue de 7.681 millones de dólares en el segundo trimestre de 2023, frente a"
            " 3.317 millones en 2022.",
            "2023年第二季度，亚马逊的营业利润为76.81亿美元。",
            "Let me look at the passages. Passage [1] says operating income was $7,681 million for the three"
            " months ended June 30, 2023. So the answer is $7,681 million.",
        ),
        wrong=(
            "Amazon's operating income in the second quarter of 2023 was $3,317 million, compared with $7,681"
            " million in the second quarter of 2022.",
            "$12,455 million",
            "$7,681 billion",
            "$7.7 million",
            "Amazon's operating income was $5,365 million (AWS).",
            "Operating income was $7,861 million.",
            "Operating income decreased from $7,681 million to $3,317 million.",
            "It was $3.3 billion in Q2 2022.",
            "Amazon's operating income was $8 billion.",
            "Operating income was $3,317 million in Q2 2023 and $7,681 million in Q2 2022.",
            "North America: $3,211 million; International: $(895) million; AWS: $5,365 million.",
            "The operating income is $7,681 million or maybe $12,455 million.",
            "Im zweiten Quartal 2023 betrug das Betriebsergebnis 3,317 Milliarden US-Dollar.",
            "2023年第二季度营业利润为33.17亿美元。",
        ),
    ),
    *cases(
        SHARE_OF_SALES,
        "16%",
        right=(
            "16%",
            "AWS accounted for 16% of total net sales in Q2 2023, the same as in Q2 2022.",
            "AWS: 16%, North America: 62%, International: 22%",
            "AWS made up 16 percent of net sales ($22,140 million of $134,383 million).",
            "about 16.5% ($22.1 billion / $134.4 billion)",
            "16 % (22.140 / 134.383)",
        ),
        wrong=("62%", "AWS: 22%, International: 16%", "16 basis points", "$22,140 million", "1.6%", "61%"),
    ),
    *cases(
        INVENTORY,
        "4,611 million",
        right=(
            "NVIDIA had $4,611 million of inventory on April 30, 2023, compared to $5,159 million on January 29, 2023.",
            "Inventories were $4,611 million as of April 30, 2023 (January 29, 2023: $5,159 million).",
            "Inventory: Raw materials $1,981 million, work in process $954 million, finished goods $1,676"
            " million, total $4,611 million.",
            "As of April 30, 2023, NVIDIA's inventories totaled $4.61 billion, a decrease of $548 million from"
            " January 29, 2023.",
            "| | April 30, 2023 | January 29, 2023 |\n|---|---|---|\n| Inventories | $4,611 million | $5,159 million |",
        ),
        wrong=(
            "NVIDIA had $5,159 million of inventory on April 30, 2023, and $4,611 million on January 29, 2023.",
            "$5,159 million",
            "$1,676 million",
            "$4,161 million",
            "Inventories decreased by $4,611 million.",
        ),
    ),
    *cases(
        NET_LOSS,
        "$2,028 million",
        right=(
            "$2,028 million",
            "The net loss was $(2,028) million.",
            "Amazon had a net loss of $2.0 billion in Q2 2022.",
            "Net loss: $2,028 million (Q2 2023: net income of $6,750 million)",
            "-$2.028 billion",
        ),
        wrong=(
            "Amazon had net income of $2,028 million.",
            "$6,750 million",
            "$5,872 million",
            "The net loss was $2.8 billion.",
        ),
    ),
    *cases(
        "What was Amazon's net income in the second quarter of 2022?",
        "$(2,028) million",
        right=(
            "Amazon had a net loss of $2,028 million in the second quarter of 2022.",
            "-$2.0 billion",
            "$(2,028) million",
            "It was a loss of $2.028 billion.",
            "Net income was negative $2,028 million.",
        ),
        wrong=("Amazon's net income was $2,028 million.", "$2.0 billion", "$(2,082) million"),
    ),
    *cases(
        "What is the interest rate on the notes due 2031?",
        "4.650%",
        right=(
            "4.650%",
            "4.65%",
            "The 2031 notes bear interest at 4.65% per year.",
            "4.65% per annum, payable on June 1 and December 1",
        ),
        wrong=("4.56%", "4.650 percentage points", "4.7% to 4.8%", "3.300% on the notes due 2027"),
    ),
    *cases(
        "What is the maximum operating temperature?",
        "-5 °C",
        right=("-5 °C", "−5°C", "minus 5 °C"),
        wrong=("5 °C", "+5 °C", "-15 °C"),
    ),
    *cases(
        "Wie hoch ist die Miete?",
        "1.250,00 €",
        right=("1.250,00 €", "1250 Euro", "Die Miete beträgt 1.250 € im Monat.", "EUR 1.250,00", "€1,250.00"),
        wrong=("1.520,00 €", "1,25 €", "12.500 €", "1.250 $"),
    ),
    *cases(
        "Quel est le chiffre d'affaires ?",
        "3,2 milliards d'euros",
        right=(
            "3,2 milliards d'euros",
            "Le chiffre d'affaires est de 3 200 millions d'euros.",
            "3,2 Md€",
            "€3.2 billion",
        ),
        wrong=("3,2 millions d'euros", "2,3 milliards d'euros", "32 milliards d'euros"),
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
        "Who audits the accounts?",
        "Ernst & Young LLP",
        right=("Ernst & Young LLP", "Ernst & Young", "EY (Ernst & Young LLP)"),
        wrong=("Deloitte", "Young"),
    ),
    *cases(
        "Where is the headquarters?",
        "Santa Clara, California",
        right=("Santa Clara, California", "in Santa Clara, California (USA)", "Santa Clara in California"),
        wrong=("Santa Barbara, California", "California", "Clara"),
    ),
    *cases(
        "Which segment grew fastest?",
        "Data Center",
        right=("The Data Center segment grew fastest, at 14%.", "Data center", "data-center"),
        wrong=("Gaming", "Gaming grew faster than Data Center.", "Data"),
    ),
]
