"""Metrics just at a threshold, where binary fractions must not decide, and answers beyond the end of their scale."""

from pathlib import Path
from typing import Any

import pytest

from .small_world import Rows, ago, holding
from .test_from_tables import evaluated, values


def answers(**scores: int) -> Rows:
    """So many NPS answers of each kind."""
    of = {"promoters": 9, "passives": 7, "detractors": 6}
    return [
        {"survey": "nps", "score": of[kind], "responded_at": ago(5)}
        for kind, many in scores.items()
        for _ in range(many)
    ]


def rated(now: list[int], before: list[int]) -> Rows:
    """Tickets with a rating, of this quarter and of the one before."""
    return [
        {"created_at": ago(days), "resolved_at": ago(days - 1), "csat": csat}
        for days, ratings in ((30, now), (120, before))
        for csat in ratings
    ]


def solved(*minutes: int) -> Rows:
    """Tickets that took so long."""
    return [{"created_at": ago(20), "resolved_at": ago(20 - m / 1440)} for m in minutes]


def visits(*seconds: int) -> Rows:
    """Sessions of so many seconds."""
    return [{"started_at": ago(3), "duration_seconds": s} for s in seconds]


# Pack, table, its rows, metric, what it has to be.
CASES: dict[str, tuple[str, str, Rows, str, float]] = {
    "NPS 50": (
        "operator-points",
        "survey_responses",
        answers(promoters=7, passives=1, detractors=2),
        "operator_nps",
        50,
    ),
    "NPS -30": (
        "operator-points",
        "survey_responses",
        answers(promoters=1, passives=5, detractors=4),
        "operator_nps",
        -30,
    ),
    "CSAT +0.2": ("operator-points", "tickets", rated([4, 4, 4, 4, 5], [4] * 5), "csat_trend_90d", 0.2),
    "CSAT -0.2": ("operator-points", "tickets", rated([4] * 5, [4, 4, 4, 4, 5]), "csat_trend_90d", -0.2),
    "CSAT +0.5": (
        "operator-points",
        "tickets",
        rated([4, 4, 4, 4, 5, 5, 5, 5, 5, 5], [4] * 9 + [5]),
        "csat_trend_90d",
        0.5,
    ),
    "a day to solve": ("household-app", "tickets", solved(1420, 1420, 1480), "avg_resolution_hours", 24),
    "two days to solve": ("household-app", "tickets", solved(2860, 2860, 2920), "avg_resolution_hours", 48),
    "two days, default pack": ("b2b-saas", "tickets", solved(2860, 2860, 2920), "resolution_hours_90d", 48),
    "5 minutes": ("household-app", "sessions", visits(290, 290, 320), "avg_session_minutes", 5),
    "10 minutes": ("household-app", "sessions", visits(590, 590, 620), "avg_session_minutes", 10),
}


@pytest.mark.parametrize("case", CASES)
def test_a_value_at_a_threshold_is_the_threshold(tmp_path: Path, case: str) -> None:
    pack, table, rows, metric, expected = CASES[case]
    key = {"survey_responses": "response_id", "tickets": "ticket_id", "sessions": "session_id"}[table]
    given: Rows = [{key: f"r{i}", "customer_id": "c", **row} for i, row in enumerate(rows)]
    customers: Rows = [{"customer_id": "c", "name": "C", "status": "active"}]
    found: dict[str, Any] = {}
    for warehouse in holding(tmp_path, {"customers": customers, table: given}):
        found = values(evaluated(warehouse, pack), "c")
    assert found[metric] == expected


# Answers as survey, score, days ago; the pack's metric, and what it has to be.
OFF_SCALE: dict[str, tuple[str, list[tuple[str, float, int]], str, float | None]] = {
    "latest": ("household-app", [("nps", 11, 1), ("nps", 8.5, 2), ("nps", 4, 9)], "nps_score", 4),
    "latest of a portfolio": ("portfolio-segments", [("nps", -1, 1), ("nps", 7, 2)], "nps_score", 7),
    "mean": ("b2b-saas", [("nps", 100, 1), ("nps", 8, 2), ("nps", 6, 2)], "nps_score", 7),
    "shares": ("operator-points", [("nps", 11, 1), ("nps", 9.5, 1), ("nps", 3, 2)], "operator_nps", -100),
    "ratings": ("household-app", [("csat", 9, 1), ("csat", 0, 1), ("csat", 3, 2), ("csat", 5, 2)], "csat_score", 4),
    "nothing else": ("operator-points", [("nps", 11, 1)], "operator_nps", None),
}


@pytest.mark.parametrize("case", OFF_SCALE)
def test_an_answer_off_the_scale_is_left_out(tmp_path: Path, case: str) -> None:
    pack, given, metric, expected = OFF_SCALE[case]
    rows: Rows = [
        {"response_id": f"r{i}", "customer_id": "c", "survey": survey, "score": score, "responded_at": ago(days)}
        for i, (survey, score, days) in enumerate(given)
    ]
    customers: Rows = [{"customer_id": "c", "name": "C", "status": "active"}]
    for warehouse in holding(tmp_path, {"customers": customers, "survey_responses": rows}):
        assert values(evaluated(warehouse, pack), "c")[metric] == expected
