"""Exchange rates: which one holds on a day, and what is said of those that cannot be used."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from keepwell.warehouse.rates import EPOCH, Rates, RatesError, read_rates


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def read(folder: Path, csv: str | None = None, **constant: object) -> Rates | None:
    path = folder / "rates.csv"
    if csv is not None:
        path.write_text(csv, encoding="utf-8")
    return read_rates("EUR", constant, path, said="keepwell.toml: [rates]")


def test_the_latest_rate_on_or_before_a_day_holds(tmp_path: Path) -> None:
    csv = "\ufeffDate, currency ,rate\n2026-03-01,usd,0.90\n2026-01-01,USD,0.95\n\n2026-03-01,GBP,1.2\n"
    rates = read(tmp_path, csv, GBP=1.1, CHF=1)
    assert rates is not None
    expected = {
        "2025-12-31": (None, 1.1),
        "2026-01-01": (0.95, 1.1),
        "2026-02-28": (0.95, 1.1),
        "2026-03-01": (0.9, 1.2),
        "2027-01-01": (0.9, 1.2),
    }
    assert {text: (rates.on("USD", day(text)), rates.on("GBP", day(text))) for text in expected} == expected
    assert rates.since(" usd", day("2026-02-28")) == date(2026, 1, 1)
    assert rates.since("CHF", day("2026-02-28")) is rates.since("USD", day("2025-12-31")) is None
    assert rates.currencies == ("CHF", "GBP", "USD")
    table = rates.table(("Eur", "usd", "XXX"), [day("2025-12-31"), day("2026-03-02")])
    np.testing.assert_array_equal(table, [[1.0, 1.0], [np.nan, 0.9], [np.nan, np.nan]])


def test_without_rates_there_are_none(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    assert read(tmp_path, "currency,date,rate\n") is None


@pytest.mark.parametrize(
    ("csv", "constant", "words"),
    [
        ("currency,day,rate\nUSD,2026-01-01,1\n", {}, "rates.csv:1: no column 'date'"),
        ("", {}, "rates.csv:1: no column 'currency'; the first line is currency,date,rate"),
        ("currency,date,rate\nUSD,2026-01-01,1\nUSD,01.02.2026,1\n", {}, "rates.csv:3: '01.02.2026' is no date"),
        ("currency,date,rate\nUSD,2026-01-01\n", {}, "rates.csv:2: a rate is a number above 0, not ''"),
        ('currency,date,rate\nUSD,2026-01-01,"0,9"\n', {}, "not '0,9'"),
        ("currency,date,rate\nUSD,2026-01-01,nan\n", {}, "a rate is a number above 0"),
        ("currency,date,rate\nDollar,2026-01-01,1\n", {}, "rates.csv:2: 'DOLLAR' is no currency"),
        ("currency,date,rate\nUSD,2026-01-01,1\nusd,2026-01-01,2\n", {}, "rates.csv:3: USD has another rate"),
        ("currency,date,rate\nEUR,2026-01-01,2\n", {}, "EUR is the workspace's own currency: its rate is 1"),
        (None, {"EUR": 0.9}, "EUR is the workspace's own currency"),
        (None, {"USD": 0}, r"keepwell.toml: \[rates\]: USD: a rate is a number above 0, not 0"),
        (None, {"USD": "0.9"}, "a rate is a number above 0, not '0.9'"),
        (None, {"USD": True}, "a rate is a number above 0, not True"),
        (None, {"usd": 0.9}, "'usd' is no currency; it looks like USD"),
    ],
)
def test_what_is_no_rate_is_named_with_its_place(
    tmp_path: Path, csv: str | None, constant: dict[str, object], words: str
) -> None:
    with pytest.raises(RatesError, match=words):
        read(tmp_path, csv, **constant)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_bytes(b"currency,date,rate\nUSD\xff,2026-01-01,1\n")
    with pytest.raises(RatesError, match="not UTF-8"):
        read(tmp_path)
