"""Prices in every accepted format, and costs computed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from backends.token_prices import PerToken
from compare.analyse.costs.cost import BreakEven, Cost, break_even, break_evens, cost, race_cost
from compare.analyse.costs.prices import BUILT_IN, Hourly, Price, Prices, spot_prices
from compare.analyse.metrics.metrics import Metrics, compute_metrics
from compare.errors import PriceError
from compare.report.words.cost_text import price_warning
from tests.compare.make_runs import block, build_run, failure, record

TODAY = date(2026, 6, 1)
TABLE = Prices.load(BUILT_IN)
ROW = '[[price]]\nprovider = "own"\nregion = "here"\nsource = "a bill"\n'
MACHINE = Hourly("machine", 3.6, "a bill")
TOKENS = PerToken("model", 0.5, 2.0, "a bill")


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "name", "usd"),
    [
        ("ml.g5.xlarge", "sagemaker/us-east-1/ml.g5.xlarge", 1.4084),
        (" ml.g5.xlarge ", "sagemaker/us-east-1/ml.g5.xlarge", 1.4084),
        ("ec2/us-east-1/g5.xlarge", "ec2/us-east-1/g5.xlarge", 1.006),
        ("gce/us-central1/n1-standard-4 + T4", "gce/us-central1/n1-standard-4 + T4", 0.54),
        ("vertex/us-central1/g2-standard-4", "vertex/us-central1/g2-standard-4", 0.81),
        ("1.25/h", "1.25 USD/h", 1.25),
        ("0/h", "0 USD/h", 0),
        ("$1.25/hour", "1.25 USD/h", 1.25),
        ("1.25 / h", "1.25 USD/h", 1.25),
        (".5 USD/h", "0.5 USD/h", 0.5),
        ("1.25 usd an hour", "1.25 USD/h", 1.25),
        ("1.25 USD per hour", "1.25 USD/h", 1.25),
        ("2 a HOUR", "2 USD/h", 2),
    ],
)
def test_hourly_prices(text: str, name: str, usd: float) -> None:
    price = TABLE.find(text)
    assert isinstance(price, Hourly)
    assert (price.name, price.usd_hour) == (name, usd)


@pytest.mark.parametrize(
    ("text", "usd_in", "usd_out"),
    [
        ("tokens:0.15/0.60", 0.15, 0.6),
        ("Tokens: $0.15 / $0.60", 0.15, 0.6),
        ("tokens:0/0", 0, 0),
        ("tokens:openai/gpt-4o", 2.5, 10),
        ("tokens:gpt-4o-mini", 0.15, 0.6),
        # Long prompts cost more there; the price of a run's short prompts counts.
        ("tokens:google/gemini-2.5-pro", 1.25, 10),
        ("tokens:anthropic/claude-sonnet-4-5", 3, 15),
    ],
)
def test_per_token_prices(text: str, usd_in: float, usd_out: float) -> None:
    price = TABLE.find(text)
    assert isinstance(price, PerToken)
    assert (price.usd_input, price.usd_output) == pytest.approx((usd_in, usd_out))


def test_a_price_has_a_source() -> None:
    row = TABLE.find("ml.g5.xlarge")
    assert (row.source, row.as_of, row.confidence) == ("fmbench price table", date(2025, 1, 26), "table")
    assert TABLE.find("1.25/h").source == TABLE.find("tokens:1/2").source == "entered by the user"
    assert TABLE.find("tokens:openai/gpt-4o").source.startswith("genai-prices 0.")


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        (
            "g2-standard-4",
            "Several rows match g2-standard-4.",
            "Name one: gce/us-central1/g2-standard-4, vertex/us-central1/g2-standard-4.",
        ),
        ("ml.g5.xlrage", "There is no price 'ml.g5.xlrage'.", "Did you mean ml.g5.xlarge? Write a row"),
        ("a very large one", "There is no price 'a very large one'.", "Write a row of prices.toml"),
        ("", "There is no price ''.", "Write a row"),
        ("1,25/h", "There is no price '1,25/h'.", "Write a row"),
        ("nan/h", "There is no price 'nan/h'.", "Write a row"),
        ("-1/h", "The price -1 of -1/h is negative", "Use USD of 0 or more"),
        ("1.2.3/h", "The price '1.2.3' of 1.2.3/h isn't a number.", "Use USD, such as 1.25."),
        ("tokens:-1/2", "The price -1 of -1/2 is negative", "Use USD of 0 or more"),
        ("tokens:1/-2", "The price -2 of 1/-2 is negative", "Use USD of 0 or more"),
        ("tokens:1/2.3.4", "The price '2.3.4' of 1/2.3.4 isn't a number.", "Use USD"),
        (
            "tokens:nobody/no-such-model",
            "genai-prices doesn't know 'nobody/no-such-model'.",
            "or enter the price: 0.15/0.60",
        ),
        ("tokens:no-such-model", "genai-prices doesn't know 'no-such-model'.", "Write provider/model"),
        ("tokens:", "genai-prices doesn't know ''.", "Write provider/model"),
    ],
)
def test_an_unknown_price_lists_the_formats(text: str, message: str, remedy: str) -> None:
    with pytest.raises(PriceError) as caught:
        TABLE.find(text)
    assert caught.value.message.startswith(message)
    assert caught.value.remedy.startswith(remedy) or remedy in caught.value.remedy


def test_own_rows_override_the_built_in_ones(tmp_path: Path) -> None:
    mine = write(
        tmp_path,
        '[[price]]\nprovider = "sagemaker"\nregion = "us-east-1"\nsource = "our contract"\nspot = 0.5\n'
        'date = 2026-05-01\n[price.usd_hour]\n"ml.g5.xlarge" = 0.9\n"ml.own" = 1\n',
    )
    table = Prices.load(mine)
    mine_row = Hourly("sagemaker/us-east-1/ml.g5.xlarge", 0.9, "our contract", date(2026, 5, 1), "", 0.5)
    assert table.find("ml.g5.xlarge") == mine_row
    assert table.find("ml.own").name == "sagemaker/us-east-1/ml.own"
    assert table.find("ml.g5.2xlarge") == TABLE.find("ml.g5.2xlarge")


def test_a_variable_names_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEPORT_PRICES", str(write(tmp_path, f'{ROW}[price.usd_hour]\n"ml.own" = 1\n')))
    assert Prices.load().find("ml.own").name == "own/here/ml.own"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[price]]\nregion = "x"\nsource = "x"\n[price.usd_hour]\nm = 1', "of mine.toml has no 'provider'"),
        ('[[price]]\nprovider = "x"\nsource = "x"\n[price.usd_hour]\nm = 1', "of mine.toml has no 'region'"),
        ('[[price]]\nprovider = "x"\nregion = "x"\n[price.usd_hour]\nm = 1', "of mine.toml has no 'source'"),
        (ROW, "A [[price]] of mine.toml has no 'usd_hour'"),
        (f"{ROW}usd_hour = 1.25", "A [[price]] of mine.toml"),
        ("price = 1.25", "mine.toml"),
        ('[price]\nprovider = "x"', "A [[price]] of mine.toml"),
        (f"{ROW}[price.usd_hour]\nm = -1", "The price -1 of own/here/m is negative"),
        (f'{ROW}[price.usd_hour]\nm = "cheap"', "The price 'cheap' of own/here/m isn't a number"),
        (f"{ROW}[price.usd_hour]\nm = nan", "The price nan of own/here/m is negative or not a number"),
        (f"{ROW}[price.usd_hour]\nml.g5 = 1", "of own/here/ml isn't a number"),
        (f"{ROW}spot = 1.5\n[price.usd_hour]\nm = 1", "The spot share 1.5 of own is invalid"),
        (f"{ROW}spot = 0\n[price.usd_hour]\nm = 1", "The spot share 0 of own is invalid"),
        (f'{ROW}date = "2026-05-01"\n[price.usd_hour]\nm = 1', "date"),
        (f"{ROW}date = 2026-05-01T10:00:00\n[price.usd_hour]\nm = 1", "date"),
        ("[[price]\n", "mine.toml aren't valid TOML: "),
    ],
)  # fmt: skip
def test_a_broken_row_is_an_error(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(PriceError) as caught:
        Prices.load(write(tmp_path, text))
    assert expected in caught.value.message
    assert caught.value.remedy


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match=r"Can\'t read the prices .*missing\.toml \(No such file or directory\)"):
        Prices.load(tmp_path / "missing.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# caf\xe9\n")
    with pytest.raises(PriceError, match="aren't valid TOML"):
        Prices.load(latin)


def test_built_in_rows_are_valid() -> None:
    assert len(TABLE.rows) > 20
    for name, row in TABLE.rows.items():
        assert name == row.name
        assert 0 < row.usd_hour < 50
        assert row.source
        assert row.confidence in ("table", "low", "derived")
        assert (row.spot is None) == name.startswith(("sagemaker/", "vertex/"))


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (replace(MACHINE, as_of=date(2026, 3, 3)), None),
        (replace(MACHINE, as_of=date(2026, 3, 2)), "The price of machine is from 2026-03-02 (91 days old). Check it."),
        (replace(MACHINE, confidence="table"), "The price of machine has no date (a bill). Check it."),
        (replace(MACHINE, as_of=date(2026, 5, 1), confidence="table"), None),
        (
            replace(MACHINE, as_of=date(2026, 5, 1), confidence="low"),
            "The price of machine is uncertain (low: a bill).",
        ),
        (
            replace(MACHINE, as_of=date(2026, 5, 1), confidence="derived"),
            "The price of machine is uncertain (derived: a bill).",
        ),
        (
            replace(MACHINE, as_of=date(2025, 1, 1), confidence="low"),
            "The price of machine is from 2025-01-01 (516 days old). Check it.",
        ),
        (replace(TOKENS, as_of=date(2025, 1, 1)), "The price of model is from 2025-01-01 (516 days old). Check it."),
        (MACHINE, None),
        (TABLE.find("1.25/h"), None),
        (TABLE.find("tokens:openai/gpt-4o"), None),
    ],
    ids=["90 days", "91 days", "undated", "new", "low", "derived", "old", "old tokens", "plain", "stated", "known"],
)
def test_doubtful_prices_warn(price: Price, expected: str | None) -> None:
    assert price_warning(price, TODAY) == expected


def test_spot_is_a_share_and_a_rule_of_thumb() -> None:
    row = replace(MACHINE, as_of=date(2026, 5, 1), confidence="table", spot=0.3)
    cheap = row.at_spot()
    assert (cheap.name, cheap.usd_hour) == ("machine, spot", pytest.approx(1.08))
    assert price_warning(cheap, TODAY) == "The price of machine, spot is uncertain (rule of thumb: a bill)."


def test_spot_prices_apply_only_where_available() -> None:
    endpoint = TABLE.find("ml.g5.xlarge")
    assert isinstance(endpoint, Hourly)
    with pytest.raises(PriceError) as caught:
        endpoint.at_spot()
    assert caught.value.message == "sagemaker/us-east-1/ml.g5.xlarge has no spot price."
    node = TABLE.find("ec2/us-east-1/g5.xlarge")
    prices = spot_prices({"endpoint": endpoint, "node": node, "tokens": TOKENS})
    assert (prices["endpoint"], prices["tokens"]) == (endpoint, TOKENS)
    assert prices["node"].name == "ec2/us-east-1/g5.xlarge, spot"
    assert isinstance(prices["node"], Hourly)
    assert prices["node"].usd_hour == pytest.approx(0.3 * 1.006)


def answers(*, tokens: int | None = 30, requests: int = 4, seconds: float = 8.0) -> Metrics:
    """Return metrics of four answers in 8 s, each of 10 tokens in and 30 out, and one failed request."""
    run = build_run(*[record(0.1, 0.2, tokens=tokens) for _ in range(requests)], failure(), block(seconds))
    return compute_metrics(run, "a")


# 3.60 USD an hour are 0.001 a second; at half a request and 15 tokens a second, 0.002 and 0.0000667 each.
@pytest.mark.parametrize(("utilisation", "times"), [(1.0, 1), (0.5, 2), (0.1, 10)])
def test_the_cost_of_an_hourly_machine(utilisation: float, times: float) -> None:
    result = cost(answers(), MACHINE, utilisation)
    assert result.per_1000_requests == pytest.approx(2.0 * times)
    assert result.per_million_output_tokens == pytest.approx(1000 / 15 * times)
    assert (result.price, result.utilisation) == ("machine", utilisation)


# 10 tokens in at 0.50 a million and 30 out at 2.00 make 65 millionths of a dollar.
def test_the_cost_per_token() -> None:
    assert TOKENS.request(10, 30) == pytest.approx(65e-6)
    result = cost(answers(), TOKENS, 0.1)
    assert result.per_1000_requests == pytest.approx(0.065)
    assert result.per_million_output_tokens == pytest.approx(65 / 30)
    assert result.utilisation is None


@pytest.mark.parametrize(
    ("metrics", "price", "expected"),
    [
        (answers(tokens=None), MACHINE, Cost("machine", pytest.approx(2.0), None, 1.0)),
        (answers(tokens=None), TOKENS, Cost("model", None, None)),
        (answers(requests=0), MACHINE, Cost("machine", None, None, 1.0)),
        (answers(requests=0), TOKENS, Cost("model", None, None)),
        (answers(), replace(MACHINE, usd_hour=0.0), Cost("machine", 0.0, 0.0, 1.0)),
        (answers(), PerToken("model", 0, 0, "free"), Cost("model", 0.0, 0.0)),
    ],
    ids=["hourly, no tokens", "tokens not reported", "hourly, no answer", "tokens, no answer", "free", "free tokens"],
)
def test_an_unknown_cost_is_none(metrics: Metrics, price: Price, expected: Cost) -> None:
    assert cost(metrics, price) == expected


# A request costs 65e-6 by tokens: 3.60 buys 55,385 requests, and the machine answers 1,800 an hour.
@pytest.mark.parametrize(
    ("usd_hour", "requests", "share"), [(0.0585, 900, 0.5), (0.117, 1800, 1.0), (3.6, 3.6 / 65e-6, 3.6 / 65e-6 / 1800)]
)
def test_break_even(usd_hour: float, requests: float, share: float) -> None:
    even = break_even(answers(), replace(MACHINE, usd_hour=usd_hour), TOKENS)
    assert even == BreakEven("machine", "model", pytest.approx(requests), pytest.approx(share))


@pytest.mark.parametrize(
    ("metrics", "tokens"),
    [
        (answers(tokens=None), TOKENS),
        (answers(requests=0), TOKENS),
        (answers(), PerToken("free", 0, 0, "gift")),
    ],
    ids=["tokens not reported", "no answer", "free tokens"],
)
def test_without_a_per_token_cost_there_is_no_break_even(metrics: Metrics, tokens: PerToken) -> None:
    assert break_even(metrics, MACHINE, tokens) is None


def test_every_machine_is_compared_with_every_per_token_price() -> None:
    metrics = {name: answers() for name in ("one", "two", "bought")}
    prices: dict[str, Price] = {
        "one": MACHINE,
        "two": replace(MACHINE, name="other"),
        "bought": TOKENS,
        "unmeasured": MACHINE,
    }
    evens = break_evens(metrics, prices, [replace(TOKENS, name="alternative")])
    assert [(even.hourly, even.per_token) for even in evens] == [
        ("machine", "model"),
        ("machine", "alternative"),
        ("other", "model"),
        ("other", "alternative"),
    ]


@pytest.mark.parametrize(
    ("price", "tokens", "usd"),
    [(MACHINE, (None, None), 0.002), (TOKENS, (10, 30), 65e-6), (TOKENS, (10, None), None), (TOKENS, (None, 3), None)],
)
def test_the_cost_of_a_race_request(price: Price, tokens: tuple[int | None, int | None], usd: float | None) -> None:
    assert race_cost(price, 2.0, *tokens) == (None if usd is None else pytest.approx(usd))
