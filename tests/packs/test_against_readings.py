"""The engine with the shipped packs against the independent readings, on thousands of rows full of edges."""

import random
from datetime import date
from fractions import Fraction
from types import ModuleType
from typing import Any

import pytest

from keepwell.evaluation.api import score_rows
from keepwell.model.packs import resolve_model

from .readings import agency_signals, b2b_saas, household_app, operator_points, portfolio_segments, saas_monitoring

READINGS = (agency_signals, b2b_saas, household_app, operator_points, portfolio_segments, saas_monitoring)
AS_OF = date(2026, 6, 30)
ROWS = 3000
EXACT = Fraction(1, 10**9)


def random_rows(reading: ModuleType, seed: int, count: int = ROWS) -> list[dict[str, Any]]:
    """Rows of edge values; some complete, some with gaps, some nearly empty; some lean to one end of every list."""
    rng = random.Random(seed)
    rows = []
    for index in range(count):
        gap = rng.choice((0.0, 0.0, 0.05, 0.2, 0.5, 0.85))
        low, high = rng.choice(((0.0, 1.0), (0.0, 1.0), (0.0, 0.4), (0.6, 1.0)))
        row: dict[str, Any] = {"customer_id": f"c{index}"}
        for name, values in reading.METRICS.items():
            leaning = values[int(low * len(values)) : max(1, round(high * len(values)))]
            row[name] = None if rng.random() < gap else rng.choice(leaning)
        rows.append(row)
    return rows


def close(found: float | None, expected: Fraction | None) -> bool:
    """Equal up to what binary arithmetic loses."""
    if found is None or expected is None:
        return found is None and expected is None
    return abs(Fraction(found) - expected) < EXACT


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What differs, in words."""
    wrong = [
        f"{key}: {found[key]} != {expected[key]}"
        for key in ("churn_risk", "segments", "signals")
        if found[key] != expected[key]
    ]
    left, right = found["health"], expected["health"]
    if left is None or right is None:
        return wrong + ([] if left is right is None else [f"health: {left} != {right}"])
    wrong += [f"{key}: {left[key]} != {right[key]}" for key in ("score", "band") if left[key] != right[key]]
    if not close(left["raw"], right["raw"]):
        wrong.append(f"raw: {left['raw']} != {right['raw']}")
    if abs(Fraction(left["coverage"]) - right["coverage"]) > Fraction(1, 10**6):
        wrong.append(f"coverage: {left['coverage']} != {right['coverage']}")
    if list(left["components"]) != list(right["components"]):
        wrong.append(f"components: {list(left['components'])} != {list(right['components'])}")
    values = right["components"].items()
    return wrong + [
        f"{n}: {left['components'].get(n)} != {v}" for n, v in values if not close(left["components"].get(n), v)
    ]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.PACK)
def test_engine_agrees_with_the_reading(reading: ModuleType, seed: int) -> None:
    rows = random_rows(reading, seed)
    results = score_rows(resolve_model(reading.PACK), rows, AS_OF)
    assert [r.customer_id for r in results] == [r["customer_id"] for r in rows]
    for row, result in zip(rows, results, strict=True):
        wrong = differences(result.as_dict(), reading.reading(row))
        assert not wrong, f"{row}\n" + "\n".join(wrong)


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.PACK)
def test_rows_reach_every_outcome(reading: ModuleType) -> None:
    """The comparison above is worth something only if every band, segment and signal occurs in it."""
    expected = [reading.reading(row) for row in random_rows(reading, 1)]
    model = resolve_model(reading.PACK).model
    assert {name for e in expected for name in e["signals"]} == set(model.signals)
    segments = {name.split(": ")[0] for e in expected for name in e["segments"]["all"]}
    assert segments == set(model.segments)
    for score in set(model.scores) & {"health", "churn_risk"}:
        bands = {band.name for band in model.scores[score].bands}
        assert {e[score]["band"] for e in expected} >= bands | {"Not enough data"}


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.PACK)
def test_missing_names_what_was_not_given(reading: ModuleType) -> None:
    rows = random_rows(reading, 3, 200)
    for row, result in zip(rows, score_rows(resolve_model(reading.PACK), rows, AS_OF), strict=True):
        unknown = {name for name in reading.METRICS if row[name] is None}
        money = {"mrr", "average_overage", "team_size_estimate"}
        assert set(result.missing) & set(reading.METRICS) - money == unknown - money


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.PACK)
def test_texts_of_a_file_read_like_values(reading: ModuleType) -> None:
    """A CSV holds texts: empty is unknown, booleans are true and false."""
    rows = random_rows(reading, 4, 300)
    texts = [{name: as_text(value) for name, value in row.items()} for row in rows]
    model = resolve_model(reading.PACK)
    assert score_rows(model, texts, AS_OF) == score_rows(model, rows, AS_OF)


def as_text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
