"""Movement between two dates: who changed group, who joined, who left, with amounts that add up exactly.

Amounts are added up in whole cents, so that start + joined - left + expansion - contraction + became known - became
unknown is the end, to the cent. A customer without a known amount (a trial, say) counts as a customer and as no money.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import isnan
from typing import Final, Literal

from keepwell.model.loader import LoadedModel
from keepwell.reporting.groups import Grouping, grouping
from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day, read_day
from keepwell.warehouse.snapshots import Snapshots

Kind = Literal["stayed", "upgrade", "downgrade", "lateral", "joined", "left"]
CENTS: Final = 100
CHANGES: Final[tuple[Kind, ...]] = ("upgrade", "downgrade", "lateral", "joined", "left")


@dataclass(frozen=True)
class Mover(Plain):
    """One customer's move; `source` is None for who joined, `target` for who left. Amounts are ARR."""

    customer_id: str
    name: str
    owner: str
    kind: Kind
    source: str | None
    target: str | None
    arr_before: float | None
    arr_after: float | None


@dataclass(frozen=True)
class Move(Plain):
    """All customers who went from one group to another."""

    source: str | None
    target: str | None
    kind: Kind
    customers: int
    arr_before: float
    arr_after: float
    source_label: str = ""
    target_label: str = ""


@dataclass(frozen=True)
class Totals(Plain):
    """What adds up: start + joined - left = end in customers, and with expansion and contraction in ARR."""

    customers_start: int
    customers_joined: int
    customers_left: int
    customers_end: int
    arr_start: float
    arr_joined: float
    arr_left: float
    arr_expansion: float
    arr_contraction: float
    arr_became_known: float
    arr_became_unknown: float
    arr_end: float


@dataclass(frozen=True)
class Movement(Plain):
    """Movement between two dates in one division of the customers."""

    by: str
    title: str
    first: date
    last: date
    moves: tuple[Move, ...]
    totals: Totals
    movers: tuple[Mover, ...]
    models_differ: bool

    def of_kind(self, kind: Kind) -> tuple[Move, ...]:
        """The moves of one kind."""
        return tuple(move for move in self.moves if move.kind == kind)

    def customers(self, kind: Kind) -> int:
        """How many customers made a move of the kind."""
        return sum(move.customers for move in self.moves if move.kind == kind)


def movement_between(snapshots: Snapshots, loaded: LoadedModel, first: date, last: date, by: str) -> Movement:
    """Movement between two published dates; `by` is `bands` or a dimension of segments (see `groupings`)."""
    return movement_days(loaded, read_day(snapshots, first), read_day(snapshots, last), by)


def movement_days(loaded: LoadedModel, first: Day, last: Day, by: str) -> Movement:
    """Movement between two snapshots that are already read."""
    before, after = first.present(), last.present()
    groups = grouping(loaded, by, (before, after))
    movers = tuple(_movers(groups, before, after))
    digests = {day.about.get("keepwell.model_hash") for day in (first, last)}
    return Movement(
        by, groups.title, first.as_of, last.as_of, _moves(groups, movers), _totals(movers), movers, len(digests) > 1
    )


def _movers(groups: Grouping, before: Day, after: Day) -> Iterator[Mover]:
    places = [day.place() for day in (before, after)]
    names = [groups.of(day) for day in (before, after)]
    arr = [day.number("arr") for day in (before, after)]
    for customer in sorted({*places[0], *places[1]}):
        rows = [place.get(customer) for place in places]
        source, target = (None if r is None else str(n[r]) for n, r in zip(names, rows, strict=True))
        money = [None if r is None or isnan(a[r]) else float(a[r]) for a, r in zip(arr, rows, strict=True)]
        day, row = (after, rows[1]) if rows[1] is not None else (before, rows[0])
        name, owner = (str(day.text(column)[row] or "") for column in ("name", "owner_email"))
        yield Mover(customer, name, owner, _kind(groups, source, target), source, target, money[0], money[1])


def _kind(groups: Grouping, source: str | None, target: str | None) -> Kind:
    if source is None:
        return "joined"
    if target is None:
        return "left"
    if source == target:
        return "stayed"
    ranks = groups.group(source).rank, groups.group(target).rank
    if ranks[0] is None or ranks[1] is None or ranks[0] == ranks[1]:
        return "lateral"
    return "upgrade" if ranks[1] > ranks[0] else "downgrade"


def _moves(groups: Grouping, movers: tuple[Mover, ...]) -> tuple[Move, ...]:
    """The moves in the order of the groups, those who stayed included."""
    found: dict[tuple[str | None, str | None, Kind], list[Mover]] = defaultdict(list)
    for mover in movers:
        found[mover.source, mover.target, mover.kind].append(mover)
    order = {group.name: i for i, group in enumerate(groups.groups)}

    def place(key: tuple[str | None, str | None, Kind]) -> tuple[object, ...]:
        return tuple((name is None, order.get(name or "", len(order)), name or "") for name in key[:2])

    return tuple(_move(groups, *key, found[key]) for key in sorted(found, key=place))


def _move(groups: Grouping, source: str | None, target: str | None, kind: Kind, movers: list[Mover]) -> Move:
    labels = ["" if name is None else groups.group(name).label for name in (source, target)]
    before, after = (sum(_cents(a) for a in amounts) for amounts in _both(movers))
    return Move(source, target, kind, len(movers), before / CENTS, after / CENTS, *labels)


def _both(movers: list[Mover]) -> tuple[list[float | None], list[float | None]]:
    return [mover.arr_before for mover in movers], [mover.arr_after for mover in movers]


def _totals(movers: tuple[Mover, ...]) -> Totals:
    cents: dict[str, int] = defaultdict(int)
    for mover in movers:
        for name, amount in _parts(mover):
            cents[name] += amount
    joined = sum(mover.kind == "joined" for mover in movers)
    left = sum(mover.kind == "left" for mover in movers)
    money = ("start", "joined", "left", "expansion", "contraction", "became_known", "became_unknown", "end")
    return Totals(
        customers_start=len(movers) - joined,
        customers_joined=joined,
        customers_left=left,
        customers_end=len(movers) - left,
        **{f"arr_{name}": cents[name] / CENTS for name in money},
    )


def _parts(mover: Mover) -> Iterator[tuple[str, int]]:
    before, after = _cents(mover.arr_before), _cents(mover.arr_after)
    yield "start", before
    yield "end", after
    if mover.kind in ("joined", "left"):
        yield mover.kind, after or before
    elif mover.arr_before is None:
        yield "became_known", after
    elif mover.arr_after is None:
        yield "became_unknown", before
    else:
        yield ("expansion", after - before) if after > before else ("contraction", before - after)


def _cents(amount: float | None) -> int:
    return 0 if amount is None else round(amount * CENTS)
