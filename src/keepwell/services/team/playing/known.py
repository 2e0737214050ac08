"""Customers of the newest published day, for the runs that are moved now: one query, however many there are."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from keepwell.playbooks.facts import Facts, Value
from keepwell.reporting.reading import CHURNED
from keepwell.services.published.reader import Row, rows_of
from keepwell.services.workspace import Workspace
from keepwell.warehouse.sql import listed

_ALWAYS: Final = ("customer_id", "name", "status", "owner_email", "segment", "segments", "signals", "mrr")
_RENEWALS: Final = ("m.renewal_date", "renewal_date")


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
        path = str(workspace.snapshots.path(as_of))
        return {row["customer_id"]: _known(as_of, row, names) for row in _rows(path, customers, names)}

    return look


def _rows(path: str, customers: Collection[str], names: Iterable[str]) -> list[Row]:
    wanted = {column for name in names for column in (f"m.{name}", name)} | {*_ALWAYS, *_RENEWALS}
    described = rows_of("SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(?))", [path])
    columns = listed(row["column_name"] for row in described if row["column_name"] in wanted)
    sql = f"SELECT {columns} FROM read_parquet(?) WHERE customer_id IN (SELECT unnest(?))"  # noqa: S608 - its own names
    return rows_of(sql, [path, sorted(customers)])


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
