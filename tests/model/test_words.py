"""One of something is not spoken of as of many."""

import pytest

from keepwell.model.words import after_number, counted, singular, with_unit


def test_counts() -> None:
    assert [counted(n, "row is", "rows are") for n in (0, 1, 1200)] == ["0 rows are", "1 row is", "1,200 rows are"]
    assert counted(1, "customer") == "1 customer"


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("tickets", "ticket"),
        ("queries", "query"),
        ("searches", "search"),
        ("boxes", "box"),
        ("status", "status"),
        ("business", "business"),
        ("analysis", "analysis"),
        ("times", "times"),
        ("money", "money"),
    ],
)
def test_singular(plural: str, one: str) -> None:
    assert singular(plural) == one


def test_units() -> None:
    assert [with_unit(n, "days") for n in ("1", "2", "1.5", "-1")] == ["1 day", "2 days", "1.5 days", "-1 day"]
    assert with_unit("1", "tickets a month") == "1 ticket a month"
    assert with_unit("1", "") == "1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" tickets in 30 days.", " ticket in 30 days."),
        (" urgent tickets are open", " urgent ticket is open"),
        (" failed payments, 3 late", " failed payment, 3 late"),
        (" of the seats", " of the seats"),
        (" in three months", " in three months"),
        ("% of emails answered", "% of emails answered"),
        (", 3 days", ", 3 days"),
        (" times the baseline", " times the baseline"),
        (" knowledge base updates", " knowledge base update"),
        ("", ""),
        (" ", " "),
    ],
)
def test_the_words_after_a_one(text: str, said: str) -> None:
    assert after_number("1", text) == said
    assert after_number("2", text) == text
    assert after_number("", text) == text
