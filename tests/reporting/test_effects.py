"""Effect sizes: published numbers, brute force, and guards."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.model.loader import LoadedModel
from keepwell.reporting.effects import cliffs_delta, odds_ratio, share_difference, size_words, wilson
from keepwell.reporting.patterns import Pattern, Patterns, patterns_of
from keepwell.reporting.reading import Day
from keepwell.reporting.strategy import pattern_words, recommendations

from .days import LATER

SAMPLES = st.lists(st.integers(-5, 5).map(float), min_size=2, max_size=12)


@given(SAMPLES, SAMPLES)
def test_delta_is_what_counting_all_pairs_says(here: list[float], there: list[float]) -> None:
    found = cliffs_delta(np.array(here), np.array(there))
    pairs = [np.sign(a - b) for a in here for b in there]
    assert found.value == pytest.approx(np.mean(pairs))
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert cliffs_delta(np.array(there), np.array(here)).value == pytest.approx(-found.value)


@given(SAMPLES, SAMPLES)
def test_the_variance_is_cliffs(here: list[float], there: list[float]) -> None:
    n, m = len(here), len(there)
    signs = np.sign(np.subtract.outer(here, there))
    delta = signs.mean()
    if abs(delta) == 1:
        return
    rows, columns = ((signs.mean(axis=axis) - delta) ** 2 for axis in (1, 0))
    top = m * m * rows.sum() + n * n * columns.sum() - ((signs - delta) ** 2).sum()
    variance = max(top / (n * m * (n - 1) * (m - 1)), (1 - delta**2) / (n * m - 1))
    found = cliffs_delta(np.array(here), np.array(there))
    z = 1.959963984540054
    half = z * np.sqrt(variance) * np.sqrt((1 - delta**2) ** 2 + z**2 * variance) / (1 - delta**2 + z**2 * variance)
    assert (found.high - found.low) / 2 == pytest.approx(half, abs=1e-9)


def test_complete_separation_has_an_interval_that_knows_how_few_there_were() -> None:
    few = cliffs_delta(np.arange(10.0), np.arange(100.0, 120.0))
    many = cliffs_delta(np.arange(100.0), np.arange(500.0, 700.0))
    assert (few.value, few.low) == (-1, -1)
    assert few.high == pytest.approx(-(10 - 3.8415) / (10 + 3.8415), abs=1e-4)
    assert many.high < few.high


def test_one_value_is_no_sample() -> None:
    with pytest.raises(ValueError, match="two values"):
        cliffs_delta(np.array([1.0]), np.array([1.0, 2.0]))


def test_newcombes_published_examples() -> None:
    """Newcombe 1998, table II, method 10: 56/70 - 48/80 and 10/10 - 0/10."""
    found = share_difference(56, 70, 48, 80)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    apart = share_difference(10, 10, 0, 10)
    assert (apart.value, apart.low, apart.high) == (1, pytest.approx(0.6075, abs=5e-5), 1)


def test_wilsons_published_example() -> None:
    """Newcombe 1998, two-sided intervals for the single proportion: 81/263."""
    found = wilson(81, 263)
    assert (found.low, found.high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    with pytest.raises(ValueError, match="no share"):
        wilson(0, 0)


def test_an_empty_cell_is_no_infinity() -> None:
    assert odds_ratio(5, 5, 0, 5) == pytest.approx(121)
    assert [size_words(e) for e in (0.1, -0.2, 0.4, -0.9)] == ["negligible", "small", "medium", "large"]


def _patterns(agency: LoadedModel, inside: int, segment: str | None = None) -> Patterns:
    """`inside` customers with many tickets on basic, 30 with few on standard."""
    said = [(5.0, "basic")] * inside + [(1.0, "standard")] * 30
    columns: dict[str, Any] = {
        "customer_id": np.array(["x"] * len(said), dtype=object),
        "m.tickets_30d": np.array([tickets + i % 3 for i, (tickets, _) in enumerate(said)]),
        "m.days_since_login": np.array([float(i % 7) for i in range(len(said))]),
        "m.plan": np.array([plan for _, plan in said], dtype=object),
    }
    day = Day(LATER, {}, columns)
    return patterns_of(agency, day, np.arange(len(said)) < inside, "Loud", segment=segment)


def test_what_sets_a_segment_apart(agency: LoadedModel) -> None:
    found = _patterns(agency, 12)
    assert [(p.name, p.category, p.size) for p in found.telling()] == [
        ("plan", "basic", "large"),
        ("tickets_30d", "", "large"),
    ]
    ticket = next(p for p in found.patterns if p.name == "tickets_30d")
    assert (ticket.inside, ticket.outside, ticket.effect, ticket.inside_n) == (6.0, 2.0, 1.0, 12)
    assert "higher than elsewhere, median 6 against 2" in pattern_words(ticket, "USD")
    login = next(p for p in found.patterns if p.name == "days_since_login")
    assert not login.clear


def test_what_the_definition_reads_is_marked_and_not_news(agency: LoadedModel) -> None:
    found = _patterns(agency, 12, "revenue_at_risk")
    assert {p.name for p in found.patterns if p.defining} == {"tickets_30d", "days_since_login"}
    assert [p.name for p in found.telling()] == ["plan"]


def test_small_groups_get_a_labelled_neutral_result(agency: LoadedModel) -> None:
    found = _patterns(agency, 9)
    assert (found.patterns, found.note) == ((), "fewer than 10 customers in the segment: too few to compare")
    lines, reasons = recommendations(agency.model.segments["monitor"], found, "USD")
    assert lines == ("Watch; no contact due",)
    assert reasons == (found.note,)


def test_a_page_writes_money_in_its_own_way() -> None:
    one = Pattern("arr", "ARR", "number", "", 0.5, 0.4, 0.6, "large", 121_000, 4_000, 9, 9, None, None, False, "money")
    assert "median €121K against €4,000" in pattern_words(one, "EUR")
    assert "median 121k EUR against 4k EUR" in pattern_words(
        one, "EUR", amounts=lambda value, unit: f"{value / 1000:.0f}k {unit}"
    )
