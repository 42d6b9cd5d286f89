"""Names, identifiers and other words."""

from __future__ import annotations

from tests.rag.scoring.cases.case import cases

CHIEF = "Who is the chief executive?"
REASON = "Why did Greater China net sales decrease?"

WORDS = [
    # Words.
    *cases(
        CHIEF,
        "Jensen Huang",
        right=(
            "Jensen Huang",
            "jensen huang",
            "The chief executive is **Jensen Huang** [1].",
            "Jen-Hsun “Jensen” Huang, who goes by Jensen Huang",
            "It's Jensen\u00a0Huang.",
            "JENSEN HUANG, founder",
        ),
        wrong=(
            "Colette Kress",
            "Jensen",
            "It isn't Jensen Huang.",
            "Jensen Huangson",
            "Jensen Huang or Colette Kress",
            "The chief executive is Colette Kress, not Jensen Huang.",
        ),
    ),
    *cases(
        REASON,
        "lower net sales of iPhone",
        right=(
            "Lower net sales of iPhone.",
            "They decreased because of lower net sales of iPhone, partially offset by Services.",
            "Due primarily to lower iPhone net sales",
            "Net sales of iPhone were lower.",
        ),
        wrong=("Higher net sales of iPhone.", "Lower net sales of Mac.", "A weaker currency.", "iPhone"),
    ),
    *cases(
        "Welche Währung?", "Schweizer Franken", right=("Schweizer Franken", "in Schweizer Franken"), wrong=("Euro",)
    ),
    *cases("公司的首席执行官是谁？", "黄仁勋", right=("公司的首席执行官是黄仁勋。",), wrong=("首席执行官是库克。",)),
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
        "Which companies supply it?",
        "TSMC and Samsung",
        right=("TSMC and Samsung", "Samsung and TSMC", "TSMC, Samsung"),
        wrong=("TSMC", "Samsung", "Intel and Samsung"),
    ),
    *cases(
        "What colour is the light?",
        "green",
        right=("Green", "It's green.", "The light is green (not red)."),
        wrong=("red", "not green", "evergreen", "green or red"),
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
    *cases(
        "Which court has jurisdiction?",
        "the courts of Zurich",
        right=("The courts of Zurich", "The courts of Zurich have jurisdiction.", "Zurich courts"),
        wrong=("The courts of Geneva",),
    ),
    *cases(
        "What is the CEO's name?",
        ("Timothy D. Cook", "Tim Cook"),
        right=("Tim Cook", "Timothy D. Cook", "Apple's CEO is Tim Cook, not Luca Maestri."),
        wrong=("Luca Maestri", "Cook Islands"),
    ),
    *cases("Who supplies it?", "Three Mile Inc", right=("Three Mile Inc",), wrong=("3 others", "Three Rivers Inc")),
    *cases(
        "Which index is it compared with?", "S&P 500", right=("S&P 500", "The S&P 500."), wrong=("Fortune 500", "500")
    ),
    *cases("On which page is it?", "Page 12", right=("12", "page 12", "On page 12."), wrong=("Page 21",)),
    *cases("Which aircraft does it fly?", "Boeing 737", right=("The Boeing 737.",), wrong=("Airbus 737", "Boeing 747")),
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
        "Who is the chief executive?",
        "Tim Cook",
        right=("Tim Cook is the chief executive; the document does not cover his pay.",),
        wrong=("The document does not say who is the chief executive; it names Tim Cook as a director.",),
    ),
]
