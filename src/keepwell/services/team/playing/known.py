"""Customers of the newest published day, for the runs that are moved now: one query, however many there are."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from keepwell.playbooks.facts import Facts, Value
from keepwell.reporting.reading import CHURNED
from keepwell.services.published.reader import Row, rows_of
from keepwell.services.workspace import Workspace
from keepwell.warehouse.sql import listed

_ALWAYS: Final = ("customer_id", "name", "status", "owner_email", "segment", "segments", "signals", "mrr")
_RENEWALS: Final = ("m.renewal_date", "renewal_date")
MOST_REMEMBERED: Final = 5_000
"""So many customers of the day are kept between turns."""


@dataclass(frozen=True)
class Known:
    """What the newest day says of a customer: the facts for conditions, and what tasks keep of it."""

    facts: Facts
    company: str
    owner_email: str = ""
    money: Decimal | None = None
    renewal_on: date | None = None
    segment: str = ""


Look = Callable[[Collection[str], Collection[str]], Mapping[str, Known]]
"""Customers by their ids, with the values of these names; those that the newest day does not know are left out."""


def look_up(workspace: Workspace) -> Look:
    """Looks at the newest published day; before the first, nobody is known."""

    def look(customers: Collection[str], names: Collection[str]) -> Mapping[str, Known]:
        as_of = workspace.snapshots.latest()
        if as_of is None or not customers:
            return {}
        known = _remembered(as_of, *_version(workspace.snapshots.path(as_of)), frozenset(names))
        return known.of(customers)

    return look


def _version(path: Path) -> tuple[str, tuple[int, ...]]:
    """A day's file, and what changes when the day is published anew."""
    state = path.stat()
    return str(path), (state.st_ino, state.st_mtime_ns, state.st_size)


@dataclass
class _Remembered:
    """Customers of one file that turns asked for already: most of them are asked for again within the day."""

    as_of: date
    path: str
    names: frozenset[str]
    columns: str
    found: dict[str, Known | None] = field(default_factory=dict)

    def of(self, customers: Collection[str]) -> dict[str, Known]:
        """Those of the customers that the day knows. Threads share what was found, so it is replaced, never changed."""
        found = self.found
        missing = [customer for customer in customers if customer not in found]
        if missing:
            full = len(found) + len(missing) > MOST_REMEMBERED
            asked = {customer: found[customer] for customer in customers if customer in found}
            found = self.found = (asked if full else found) | self._read(missing)
        return {customer: known for customer in customers if (known := found[customer]) is not None}

    def _read(self, customers: Sequence[str]) -> dict[str, Known | None]:
        sql = f"SELECT {self.columns} FROM read_parquet(?) WHERE customer_id IN (SELECT unnest(?))"  # noqa: S608 - own
        rows = rows_of(sql, [self.path, customers])
        return dict.fromkeys(customers) | {row["customer_id"]: _known(self.as_of, row, self.names) for row in rows}


@lru_cache(maxsize=2)
def _remembered(as_of: date, path: str, _version: tuple[int, ...], names: frozenset[str]) -> _Remembered:
    wanted = {column for name in names for column in (f"m.{name}", name)} | {*_ALWAYS, *_RENEWALS}
    described = rows_of("SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(?))", [path])
    columns = listed(row["column_name"] for row in described if row["column_name"] in wanted)
    return _Remembered(as_of, path, names, columns)


def _known(as_of: date, row: Row, names: Iterable[str]) -> Known:
    values = {name: _value(row.get(f"m.{name}", row.get(name))) for name in names}
    company, owner = str(row.get("name") or row["customer_id"]), str(row.get("owner_email") or "")
    values |= {"company": company, "owner_email": owner or None}
    segments, signals = frozenset(row.get("segments") or ()), frozenset(row.get("signals") or ())
    facts = Facts(as_of, values, segments, signals, active=row.get("status") != CHURNED)
    money, renewal = row.get("mrr"), next((row[name] for name in _RENEWALS if row.get(name) is not None), None)
    return Known(
        facts,
        company[:255],
        owner.strip().lower()[:255],
        Decimal(f"{money:.2f}") if isinstance(money, int | float) and money == money else None,
        _day(renewal),
        str(row.get("segment") or "")[:120],
    )


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _value(value: Any) -> Value:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, bool | int | float | str | date) else None
