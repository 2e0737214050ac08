"""A model with every way of aggregating, and the same metrics read naively."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction

from keepwell.model.definitions import Model
from tests.metrics.naive import Event, Ticket, Window, day_end, local_day, mean, slope, within

EVENT_METRICS = {
    "logins_7": {"aggregate": "count", "where": "name = 'login'", "window": 7},
    "logins_ever": {"aggregate": "count", "where": "name = 'login'"},
    "logins_before": {"aggregate": "count", "where": "name = 'login'", "window": 7, "offset": 7},
    "logins_long_ago": {"aggregate": "count", "where": "name = 'login'", "offset": 33},
    "people_long_ago": {"aggregate": "count_distinct", "of": "people", "offset": 12},
    "people_10": {"aggregate": "count_distinct", "of": "people", "window": 10},
    "people_back": {"aggregate": "count_distinct", "of": "people", "window": 5, "offset": 4},
    "people_ever": {"aggregate": "count_distinct", "of": "people"},
    "features_30": {"aggregate": "count_distinct", "of": "features", "where": "name like 'use%'", "window": 30},
    "days_14": {"aggregate": "count_distinct", "of": "days", "window": 14},
    "days_ever": {"aggregate": "count_distinct", "of": "days"},
    "amount_9": {"aggregate": "sum", "of": "value", "window": 9},
    "mean_9": {"aggregate": "mean", "of": "value", "window": 9},
    "least_12": {"aggregate": "min", "of": "value", "window": 12},
    "most_ever": {"aggregate": "max", "of": "value"},
    "latest_20": {"aggregate": "latest", "of": "value", "window": 20},
    "first_ever": {"aggregate": "first", "of": "value"},
    "used_ever": {"aggregate": "exists", "where": "feature is not null"},
    "share_15": {"aggregate": "share", "matching": "name in ('login', 'use')", "window": 15},
    "ratio_15": {"aggregate": "ratio", "of": "value", "per": "value * 2 + 1", "window": 15},
    "change_6": {"aggregate": "change", "window": 6},
    "since_login": {"aggregate": "days_since", "where": "name = 'login'"},
    "slope_5": {"aggregate": "slope", "window": 5},
    "last_feature": {"aggregate": "latest", "of": "feature", "window": 25},
}
TICKET_METRICS = {
    "tickets_30": {"aggregate": "count", "window": 30},
    "tickets_open": {"aggregate": "count", "where": "resolved_at is null"},
    "resolved_10": {"aggregate": "count", "where": "resolved_at is not null", "window": 10, "time": "resolved_at"},
    "csat_mean": {"aggregate": "mean", "of": "csat"},
    "hours_mean": {"aggregate": "mean", "of": "hours_between(created_at, resolved_at)", "window": 40},
    "last_category": {"aggregate": "latest", "of": "category"},
    "bug_share": {"aggregate": "share", "matching": "category = 'bug'", "window": 30},
    "since_ticket": {"aggregate": "days_since"},
}


def engine_model() -> Model:
    metrics = {name: {"table": "events", **body} for name, body in EVENT_METRICS.items()}
    metrics |= {name: {"table": "tickets", **body} for name, body in TICKET_METRICS.items()}
    metrics["latest_plan"] = {"attribute": "plan"}
    limits = {"events": 3000, "tickets": 3000}
    return Model.model_validate(
        {
            "model": {"name": "every-aggregate", "version": "1"},
            "settings": {"stale_after_days": limits},
            "metrics": metrics,
        }
    )


Value = float | bool | str | None


def naive_values(events: list[Event], tickets: list[Ticket], as_of: date, zone: str) -> dict[str, Value]:
    """All metrics of one customer on one date; None is unknown."""
    return {**_event_values(events, as_of, zone), **_ticket_values(tickets, as_of, zone)}


def _event_values(events: list[Event], as_of: date, zone: str) -> dict[str, Value]:
    def rows(days: int | None, offset: int = 0, keep: Callable[[Event], bool] = lambda _: True) -> list[Event]:
        return within(events, as_of, Window(days, offset), zone, keep)

    def login(event: Event) -> bool:
        return event.name == "login"

    def amounts(found: list[Event]) -> list[Fraction]:
        return [e.value for e in found if e.value is not None]

    def people(found: list[Event]) -> int:
        return len({e.person_id for e in found if e.person_id is not None})

    def days(found: list[Event]) -> set[date]:
        return {local_day(e.occurred_at, zone) for e in found}

    fifteen = rows(15)
    now, then = len(rows(6)), len(rows(6, 6))
    logins = days(rows(None, 0, login))
    ordered = sorted((e for e in rows(None)), key=lambda e: (e.occurred_at, e.event_id))
    valued = sorted((e for e in ordered if e.value is not None), key=lambda e: (e.occurred_at, e.value or 0))
    recent = [e for e in valued if e in rows(20)]
    featured = [e for e in ordered if e.feature is not None and e in rows(25)]
    tops, bottoms = sum(amounts(fifteen), Fraction()), sum((2 * v + 1 for v in amounts(fifteen)), Fraction())
    per_day = [
        Fraction(sum(local_day(e.occurred_at, zone) == as_of - timedelta(days=4 - i) for e in events)) for i in range(5)
    ]
    return {
        "logins_7": len(rows(7, 0, login)),
        "logins_ever": len(rows(None, 0, login)),
        "logins_before": len(rows(7, 7, login)),
        "logins_long_ago": len(rows(None, 33, login)),
        "people_long_ago": people(rows(None, 12)),
        "people_10": people(rows(10)),
        "people_back": people(rows(5, 4)),
        "people_ever": people(rows(None)),
        "features_30": len({e.feature for e in rows(30, 0, lambda e: e.name.startswith("use")) if e.feature}),
        "days_14": len(days(rows(14))),
        "days_ever": len(days(rows(None))),
        "amount_9": float(sum(amounts(rows(9)), Fraction())),
        "mean_9": mean(amounts(rows(9))),
        "least_12": float(min(amounts(rows(12)))) if amounts(rows(12)) else None,
        "most_ever": float(max(amounts(rows(None)))) if amounts(rows(None)) else None,
        "latest_20": float(recent[-1].value or 0) if recent else None,
        "first_ever": float(valued[0].value or 0) if valued else None,
        "used_ever": any(e.feature is not None for e in rows(None)),
        "share_15": sum(e.name in ("login", "use") for e in fifteen) / len(fifteen) if fifteen else None,
        "ratio_15": float(tops / bottoms) if bottoms else None,
        "change_6": (now - then) / then if then else None,
        "since_login": (as_of - max(logins)).days if logins else None,
        "slope_5": slope(per_day),
        "last_feature": featured[-1].feature if featured else None,
    }


def _ticket_values(tickets: list[Ticket], as_of: date, zone: str) -> dict[str, Value]:
    end = day_end(as_of, zone)
    seen = [t for t in tickets if t.created_at < end]

    def resolved(ticket: Ticket) -> bool:
        return ticket.resolved_at is not None and ticket.resolved_at < end

    def recent(days: int) -> list[Ticket]:
        return [t for t in seen if Window(days).holds(local_day(t.created_at, zone), as_of)]

    done = [t for t in seen if resolved(t)]
    hours = [
        Fraction((t.resolved_at - t.created_at) // timedelta(microseconds=1)) / 3_600_000_000
        for t in recent(40)
        if resolved(t) and t.resolved_at
    ]
    ordered = sorted(seen, key=lambda t: (t.created_at, t.ticket_id))
    last30 = recent(30)
    return {
        "tickets_30": len(last30),
        "tickets_open": len(seen) - len(done),
        "resolved_10": sum(Window(10).holds(local_day(t.resolved_at, zone), as_of) for t in done if t.resolved_at),
        "csat_mean": mean(
            [Fraction(t.csat) for t in seen if t.csat is not None and (resolved(t) or t.resolved_at is None)]
        ),
        "hours_mean": mean(hours),
        "last_category": ordered[-1].category if ordered else None,
        "bug_share": sum(t.category == "bug" for t in last30) / len(last30) if last30 else None,
        "since_ticket": (as_of - local_day(ordered[-1].created_at, zone)).days if ordered else None,
    }
