"""How one customer uses the product: every day of a window, and which events and features."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from keepwell.services.published.copies import USAGE, Copies
from keepwell.services.published.customer import months_since
from keepwell.services.published.reader import Row, read_copies, rows_of
from keepwell.services.workspace import Workspace


@dataclass(frozen=True)
class UsageDay:
    """One day: events, sessions, and different people seen."""

    day: date
    events: int
    sessions: int
    people: int


@dataclass(frozen=True)
class UsageName:
    """An event or a feature: how often, on how many days, and when last."""

    name: str
    count: int
    days: int
    last_on: date


@dataclass(frozen=True)
class Usage:
    """Usage between two days, both included; `events` and `features` have the most used first."""

    first: date
    last: date
    days: tuple[UsageDay, ...]
    events: tuple[UsageName, ...]
    features: tuple[UsageName, ...]

    @property
    def silent(self) -> bool:
        """Whether nothing was seen at all."""
        return not any(day.events or day.sessions for day in self.days)


def customer_usage(workspace: Workspace, customer_id: str, days: int = 90) -> Usage:
    """The usage of the last `days` days up to the current date; days without any are there with zeros."""

    def read(copies: Copies) -> Usage:
        last = copies.as_of
        first = last - timedelta(days=max(days, 1) - 1)
        files = months_since(copies, USAGE, first)
        found = rows_of(_SQL, [files, customer_id, first, last]) if files else []
        return _usage(first, last, found)

    return read_copies(workspace, read)


_SQL = (
    "SELECT kind, name, day, sum(n) AS n, max(people) AS people FROM read_parquet(?)"
    " WHERE customer_id = ? AND day BETWEEN ? AND ? GROUP BY ALL ORDER BY day"
)


def _usage(first: date, last: date, found: list[Row]) -> Usage:
    counts = {(row["kind"], row["day"]): row for row in found if row["kind"] in ("total", "session")}
    window = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    none: Row = {"n": 0, "people": 0}

    def day(on: date) -> UsageDay:
        events, sessions = counts.get(("total", on), none), counts.get(("session", on), none)
        return UsageDay(on, int(events["n"]), int(sessions["n"]), max(events["people"], sessions["people"]))

    return Usage(
        first=first,
        last=last,
        days=tuple(map(day, window)),
        events=_names(row for row in found if row["kind"] == "event"),
        features=_names(row for row in found if row["kind"] == "feature"),
    )


def _names(rows: Iterable[Row]) -> tuple[UsageName, ...]:
    named: dict[str, list[Row]] = {}
    for row in rows:
        named.setdefault(row["name"], []).append(row)
    found = [
        UsageName(name, int(sum(r["n"] for r in own)), len(own), max(r["day"] for r in own))
        for name, own in named.items()
    ]
    return tuple(sorted(found, key=lambda use: (-use.count, use.name)))
