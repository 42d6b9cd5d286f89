"""Amounts of money, with their currency and scale."""

from __future__ import annotations

from tests.rag.scoring.cases.case import cases
from tests.rag.scoring.cases.questions import GOLD_INCOME, INCOME

PROFIT = "What was NVIDIA's gross profit in the first quarter of fiscal 2024?"
EPS = "What were NVIDIA's diluted earnings per share?"
NET_SALES = "What were Apple's total net sales in the third quarter of 2022?"
RESEARCH = "How much did Apple spend on research and development in the three months ended June 25, 2022?"
OPERATING_INCOME = "What was Amazon's operating income in the second quarter of 2023?"
INVENTORY = "How much inventory did NVIDIA have on April 30, 2023?"
EXPENSES = "What were Apple's operating expenses in the third quarter of 2022?"
FAIR_VALUE = "What was the fair value of Amazon's equity investment in Rivian as of June 30, 2023?"
BOTH_YEARS = (
    "What was NVIDIA's revenue in the first quarter of fiscal year 2024 and in the first quarter of fiscal year 2023?"
)
PAR_VALUE = "What is the par value of Apple's common stock?"

MONEY = [
    # A figure with its scale, in all the ways in which it is written.
    *cases(
        PROFIT,
        "4,648 million",
        right=(
            "4,648 million",
            "$4,648 million",
            "$4.648 billion",
            "US$4,648 million",
            "USD 4,648 million",
            "4,648,000,000 dollars",
            "$4,648,000,000",
            "4,648,000 thousand",
            "NVIDIA's gross profit was $4,648 million [1].",
            "NVIDIA's gross profit was **$4,648 million** [1][2].",
            "The gross profit was $4.648bn.",
            "It was $4,648M.",
            "Gross profit (in millions): $4,648",
            "Gross profit was $4,648 (in millions).",
            "About $4.65 billion.",
            "Roughly $4.6 billion.",
            "Der Bruttogewinn betrug 4,648 Milliarden US-Dollar.",
            "Der Bruttogewinn betrug 4.648 Millionen US-Dollar [3].",
            "El beneficio bruto fue de 4648 millones de dólares.",
            "Le bénéfice brut était de 4 648 millions de dollars.",
            "毛利润为46.48亿美元。",
        ),
        wrong=(
            "4648 thousand",
            "$4,648 billion",
            "$4,648",
            "4,648 dollars",
            "$4,684 million",
            "$4.5 billion",
            "$5 billion",
            "4,648%",
            "-$4,648 million",
            "$(4,648) million",
            "46.48 million",
            "464.8 million",
            "The gross profit was reported for the quarter.",
            "Four",
            "",
        ),
    ),
    *cases(
        PROFIT,
        "$4,648 million",
        right=("4,648 million", "4,648 million US dollars", "USD 4.648 billion"),
        wrong=("€4,648 million", "4,648 million euros", "4.648 Mrd. €"),
    ),
    # A second figure beside the right one.
    *cases(
        PROFIT,
        "4,648 million",
        right=(
            "Gross profit was $4,648 million, compared with $5,431 million a year ago.",
            "Gross profit was $4,648 million, down from $5,431 million in the first quarter of fiscal 2023.",
            "Gross profit fell from $5,431 million to $4,648 million.",
            "Gross profit was $4,648 million in the first quarter of fiscal 2024 and $5,431 million in the first"
            " quarter of fiscal 2023.",
            "Gross profit was $5,431 million in the first quarter of fiscal 2023 and $4,648 million in the first"
            " quarter of fiscal 2024.",
            "Gross profit was $4,648 million. Revenue was $7,192 million.",
            "With revenue of $7,192 million and cost of revenue of $2,544 million, gross profit was $4,648 million.",
            "$7,192 million − $2,544 million = $4,648 million",
            "Gross profit was $4,648 million, a gross margin of 64.6%.",
            "Gross profit was $4,648 million ($4.6 billion).",
            "For the three months ended April 30, 2023, gross profit was $4,648 million.",
            "According to page 3, note 12, gross profit was $4,648 million.",
            "1. Gross profit: $4,648 million",
            "- Revenue: $7,192 million\n- Cost of revenue: $2,544 million\n- Gross profit: $4,648 million",
            "| | Q1 FY24 |\n|---|---|\n| Revenue | $7,192 million |\n| Gross profit | $4,648 million |",
            "Gross profit was not $5,431 million but $4,648 million.",
        ),
        wrong=(
            "Gross profit was $4,648 million or $5,431 million.",
            "Gross profit was either $5,431 million or $4,648 million.",
            "Gross profit was between $4,648 million and $5,431 million.",
            "Gross profit was $4,648 million. It may also be $5,431 million.",
            "$4,648 million; $5,431 million",
            "Gross profit was $5,431 million, compared with $4,648 million a year ago.",
            "Gross profit rose from $4,648 million to $5,431 million.",
            "Gross profit was $5,431 million. Operating income was $4,648 million.",
            "Gross profit was $5,431 million, not $4,648 million.",
            "Gross profit was $5,431 million and revenue was $4,648 million.",
            "- Revenue: $4,648 million\n- Gross profit: $5,431 million",
        ),
    ),
    # Amounts per share and counts.
    *cases(
        EPS,
        "$0.82",
        right=(
            "$0.82",
            "0.82",
            "82 cents",
            "$0.82 per share",
            "Basic earnings per share were $0.83 and diluted earnings per share were $0.82.",
            "Diluted: $0.82; basic: $0.83",
        ),
        wrong=("$0.83", "$0.82 million", "82%", "$82", "Basic: $0.82; diluted: $0.83", "$0.82 or $0.83"),
    ),
    *cases(
        "What were net sales in 2022?",
        "$2,023 million",
        right=("$2,023 million", "In 2022, net sales were $2,023 million.", "$2.023 billion"),
        wrong=("In 2023.", "2023", "Net sales in 2022 were $2,022 million.", "Net sales in 2021 were $2,023 million."),
    ),
    # A gold figure without a scale, copied from a table's cell.
    *cases(
        PROFIT,
        "4,648",
        right=("4,648", "$4,648", "$4,648 million", "4.648 billion"),
        wrong=("4,684", "46.48", "4,648%", "5,431"),
    ),
    # Several gold answers, and a gold answer with two figures.
    *cases(
        "What was operating income?",
        ("7,681 million", "$7.7 billion"),
        right=("$7.7 billion", "7,681 million", "$7.7 billion ($7,681 million)"),
        wrong=("$7.6 billion", "$3.3 billion"),
    ),
    *cases(
        "How much did sales grow, in dollars and percent?",
        "$12.7 billion, or 11%",
        right=("Sales grew $12.7 billion (11%).", "11%, which is $12.7 billion"),
        wrong=("11%", "$12.7 billion", "$12.7 billion, or 10%"),
    ),
    # A refusal isn't an answer, whatever figure it quotes.
    *cases(
        PROFIT,
        "4,648 million",
        right=(
            "I'm not entirely sure, but gross profit was $4,648 million.",
            "The passages don't state it directly, but it can be computed: $7,192 million − $2,544 million"
            " = $4,648 million.",
            "Gross profit was $4,648 million. The passages don't explain why it fell.",
        ),
        wrong=(
            "The passages don't mention gross profit. They only say that $4,648 million was something else.",
            "I cannot answer this question from the passages. The closest figure is $4,648 million.",
            "The documents do not answer this question.",
            "I'm sorry, but I can't help with that.",
        ),
    ),
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
        "What is the dividend per share?",
        "$0.04",
        right=("$0.04", "4 cents", "$0.04 per share, $99 million in total", "0.04 USD", "$.04"),
        wrong=("$0.40", "$4", "$99 million", "0.04%"),
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
        EXPENSES,
        "$12,809 million",
        right=(
            "Apple's operating expenses in Q3 2022 were $12,809 million, consisting of $6,797 million in R&D and"
            " $6,012 million in SG&A.",
            "Operating expenses rose to $12.8 billion from $11.1 billion.",
            "Total operating expenses: $12,809 million (15% of total net sales).",
            "In the third quarter of 2022, R&D was $6,797 million and SG&A was $6,012 million, for total"
            " operating expenses of $12,809 million.",
            "Operating expenses for the three months ended June 25, 2022 totaled $12,809 million, while they"
            " were $38,144 million for the nine months.",
            "12.809 billion dollars",
        ),
        wrong=(
            "$6,797 million in R&D and $6,012 million in SG&A.",
            "$38,144 million",
            "Operating expenses were $11,129 million in Q3 2022.",
            "$12,890 million",
            "12,809 shares",
            "Operating expenses were $38,144 million for the nine months and R&D was $12,809 million.",
        ),
    ),
    *cases(
        FAIR_VALUE,
        "$3.0 billion",
        right=(
            "$3.0 billion",
            "$3 billion",
            "The fair value was $3.0 billion as of June 30, 2023.",
            "It was $3.0 billion, compared to $2.9 billion as of December 31, 2022.",
            "$3,000 million",
        ),
        wrong=(
            "$2.9 billion",
            "$30 billion",
            "$3.0 million",
            "It was $2.9 billion as of June 30, 2023, and $3.0 billion as of December 31, 2022.",
        ),
    ),
    *cases(
        BOTH_YEARS,
        "$7,192 million and $8,288 million",
        right=(
            "$7,192 million and $8,288 million, respectively.",
            "Revenue was $7,192 million in Q1 FY2024, compared with $8,288 million in Q1 FY2023.",
            "$7.19 billion in fiscal 2024; $8.29 billion in fiscal 2023",
        ),
        wrong=("$7,192 million", "$8,288 million", "$7,192 million and $6,051 million"),
    ),
    *cases(
        PAR_VALUE,
        "$0.00001",
        right=("$0.00001", "$0.00001 per share", "The par value is $0.00001; 50,400,000,000 shares are authorized."),
        wrong=("$0.0001", "$0.001", "50,400,000"),
    ),
    *cases(
        "What was the total cost?",
        "£2.5m",
        right=("£2.5m", "£2.5 million", "2.5 million pounds", "GBP 2,500,000"),
        wrong=("$2.5m", "£2.5bn", "£25m"),
    ),
    *cases(
        "How much debt is there?", "$0", right=("None.", "There is no debt.", "$0"), wrong=("$10", "No, it has $1.")
    ),
    *cases("What is the fee?", "EUR 500", right=("€500", "500 euros"), wrong=("$500",)),
    *cases("What was revenue?", "EUR4.6 billion", right=("€4.6 billion", "EUR 4.6 billion"), wrong=("$4.6 billion",)),
    *cases("What was revenue?", "USD1.2 million", right=("$1.2 million", "USD 1.2 million"), wrong=("€1.2 million",)),
    *cases("What was revenue?", "CHF12 million", right=("CHF 12 million",), wrong=("CHF 12 billion",)),
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
]
