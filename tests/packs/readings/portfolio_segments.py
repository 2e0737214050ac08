"""Tiers, overlay, sizes, tenure, engagement and industry of the fifth document."""

from fractions import Fraction
from typing import Any

from .logic import Row, both, either, ge, gt, le, line, lt, mean, named, number, part, scored, share

PACK = "portfolio-segments"
METRICS: dict[str, list[Any]] = {
    "arr": [0, 22499.99, 22500, 24999.99, 25000, 30000, 89999, 90000, 99999.99, 100000, 120000, 121000],
    "arr_12_months_ago": [0, 20000, 25000, 100000, 120000],
    "industry": ["Tech", "Finance", "Real Estate"],
    "company_size": [0, 49, 50, 249, 250, 999, 1000, 5000],
    "tenure_months": [0, 5.9, 6, 11.9, 12, 23.9, 24, 80],
    "adoption_score": [0, 39.9, 40, 69.9, 70, 100],
    "meetings_per_quarter": [0, 1, 2, 3, 8],
    "email_response_rate": [0, 0.3, 0.6, 1],
    "support_ticket_rate": [0, 1, 2, 3.5, 5, 9],
    "nps_score": [0, 6, 7, 10],
    "days_to_renewal": [-1, 90, 91, 300],
}
BANDS = [(70, "Healthy"), (50, "Needs attention"), (0, "At risk")]


def _health(row: Row) -> dict[str, Any]:
    """A small model of the pack's own: the document takes any."""
    meetings = share(number(row, "meetings_per_quarter"), 3, 100)
    answers = share(number(row, "email_response_rate"), 0.6, 100)
    tickets = line(number(row, "support_ticket_rate"), (1, 100), (5, 0))
    return scored(
        {
            "adoption": (50, mean([part(number(row, "adoption_score"), 1)])),
            "relationship": (20, mean([part(meetings, 1), part(answers, 1)])),
            "support": (15, mean([part(tickets, 1)])),
            "satisfaction": (15, mean([part(share(number(row, "nps_score"), 10, 100), 1)])),
        },
        BANDS,
    )


def _growth(row: Row) -> Fraction | None:
    now, then = number(row, "arr"), number(row, "arr_12_months_ago")
    return None if now is None or not then else (now - then) / then


def _range(value: Fraction | None, bounds: list[tuple[str, Any]], unknown: str) -> str:
    """The name with the highest bound that the value reaches; bounds fall."""
    return unknown if value is None else next(name for name, bound in bounds if value >= Fraction(str(bound)))


def _segments(row: Row) -> list[str]:
    tiers = [("Enterprise", 100000), ("Mid-Market", 25000), ("SMB", 0)]
    sizes = [("1000+ employees", 1000), ("250-999 employees", 250), ("50-249 employees", 50)]
    tenures = [("24+ months", 24), ("12-24 months", 12), ("6-12 months", 6), ("Under 6 months", 0)]
    levels = [("High engagement", 70), ("Medium engagement", 40), ("Low engagement", 0)]
    return [
        _range(number(row, "arr"), tiers, "Tier unknown"),
        *(["High-Growth"] if gt(_growth(row), 0.2) else []),
        _range(number(row, "company_size"), [*sizes, ("Under 50 employees", 0)], "Size unknown"),
        _range(number(row, "tenure_months"), tenures, "Tenure unknown"),
        _range(number(row, "adoption_score"), levels, "Engagement unknown"),
        *([f"Industry: {row['industry']}"] if row.get("industry") else []),
    ]


def reading(row: Row) -> dict[str, Any]:
    """What the document says about one customer."""
    arr, adoption = number(row, "arr"), number(row, "adoption_score")
    near = [both(ge(arr, Fraction(9 * tier, 10)), lt(arr, tier)) for tier in (25000, 100000)]
    signals = {
        "near_next_tier": either(*near),
        "arr_contracted": lt(_growth(row), 0),
        "low_engagement_before_renewal": both(lt(adoption, 40), le(number(row, "days_to_renewal"), 90)),
        "detractor": le(number(row, "nps_score"), 6),
    }
    segments = _segments(row)
    return {
        "health": _health(row),
        "churn_risk": None,
        "segments": {"primary": segments[0], "all": segments},
        "signals": named(signals),
    }
