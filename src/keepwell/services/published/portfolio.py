"""The list of customers on the current date: pages of it, all of it for exports, and some of it by id."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from keepwell.model.definitions import Model
from keepwell.services.published.copies import CURRENT, Copies, copies_needed
from keepwell.services.published.kept_models import NO_COLOR, band_colors, model_of, segment_shown
from keepwell.services.published.portfolio_query import PortfolioQuery, order_of, where_of
from keepwell.services.published.reader import Row, read_copies, row_of, rows_of, rows_streamed
from keepwell.services.workspace import Workspace

_COLUMNS: Final = (
    "customer_id", "name", "domain", "status", "owner_email", "industry", "plan", "country", "tenure", "tenure_months",
    "customer_since", "score", "band", "coverage", "risk_score", "risk_band", "change_7", "change_30", "arr", "mrr",
    "renewal_date", "days_to_renewal", "payment_status", "segment", "segments", "signals", "reasons", "last_touch_at",
    "last_touch_kind", "sparkline", "churned_on",
)  # fmt: skip
_LISTS: Final = ("segments", "signals", "reasons", "sparkline")
_SELECTED: Final = ", ".join(_COLUMNS)


@dataclass(frozen=True)
class PortfolioRow:
    """One customer in a list. `color` is that of the band, else of the segment; unknown is None."""

    customer_id: str
    name: str
    domain: str | None
    status: str
    owner_email: str | None
    industry: str | None
    plan: str | None
    country: str | None
    tenure: str | None
    tenure_months: int | None
    customer_since: date | None
    score: int | None
    band: str | None
    coverage: float | None
    risk_score: int | None
    risk_band: str | None
    change_7: int | None
    change_30: int | None
    arr: float | None
    mrr: float | None
    renewal_date: date | None
    days_to_renewal: int | None
    payment_status: str | None
    segment: str | None
    segments: tuple[str, ...]
    signals: tuple[str, ...]
    reasons: tuple[str, ...]
    last_touch_at: datetime | None
    last_touch_kind: str | None
    sparkline: tuple[int | None, ...]
    churned_on: date | None
    color: str
    segment_label: str | None


@dataclass(frozen=True)
class PortfolioPage:
    """A page of a list; `total` and `arr` are of all customers that match."""

    rows: tuple[PortfolioRow, ...]
    total: int
    arr: float
    as_of: date
    query: PortfolioQuery


def portfolio_page(workspace: Workspace, query: PortfolioQuery) -> PortfolioPage:
    """The rows of one page; raises NothingPublished before the first run."""

    def read(copies: Copies) -> PortfolioPage:
        where, path = where_of(query), copies.path(CURRENT)
        # The few rows of a page are found by narrow columns first, then read whole.
        found = rows_of(
            f"SELECT {_SELECTED} FROM read_parquet(?) WHERE customer_id IN (SELECT customer_id FROM read_parquet(?)"  # noqa: S608 - own names
            f" WHERE {where.sql} ORDER BY {order_of(query)} LIMIT ? OFFSET ?) ORDER BY {order_of(query)}",
            [path, path, *where.values, max(query.limit, 0), max(query.offset, 0)],
        )
        counted = row_of(
            f"SELECT count(*) AS total, coalesce(sum(arr), 0) AS arr FROM read_parquet(?) WHERE {where.sql}",  # noqa: S608
            [path, *where.values],
        )
        total, arr = (counted["total"], counted["arr"]) if counted else (0, 0.0)
        made = row_maker(workspace, copies)
        return PortfolioPage(tuple(map(made, found)), total, round(arr, 2), copies.as_of, query)

    return read_copies(workspace, read)


def portfolio_rows(workspace: Workspace, query: PortfolioQuery) -> Iterator[PortfolioRow]:
    """All rows that match, in order, whatever the query's offset and limit say."""
    copies, where = copies_needed(workspace), where_of(query)
    made = row_maker(workspace, copies)
    found = rows_streamed(
        f"SELECT {_SELECTED} FROM read_parquet(?) WHERE {where.sql} ORDER BY {order_of(query)}",  # noqa: S608 - own names
        [copies.path(CURRENT), *where.values],
    )
    yield from map(made, found)


def customers_named(workspace: Workspace, ids: Iterable[str]) -> dict[str, PortfolioRow]:
    """The rows of some customers by their ids, in one query; ids that nobody has are left out."""
    wanted = sorted(set(ids))

    def read(copies: Copies) -> dict[str, PortfolioRow]:
        found = rows_of(
            f"SELECT {_SELECTED} FROM read_parquet(?) WHERE list_contains(CAST(? AS VARCHAR[]), customer_id)",  # noqa: S608
            [copies.path(CURRENT), wanted],
        )
        made = row_maker(workspace, copies)
        return {row["customer_id"]: made(row) for row in found}

    return read_copies(workspace, read) if wanted else {}


def row_maker(workspace: Workspace, copies: Copies) -> Callable[[Row], PortfolioRow]:
    """Makes rows of what was read, with the colours and labels of the model."""
    model = model_of(workspace, copies).model
    colors = band_colors(model, copies.score)

    def made(row: Row) -> PortfolioRow:
        values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
        values |= {name: tuple(row[name] or ()) for name in _LISTS}
        values["name"] = row["name"] or row["customer_id"]
        label, color = _segment(model, row["segment"])
        return PortfolioRow(**values, color=colors.get(row["band"] or "", color), segment_label=label)

    return made


def _segment(model: Model, name: str | None) -> tuple[str | None, str]:
    return (None, NO_COLOR) if name is None else segment_shown(model, name)
