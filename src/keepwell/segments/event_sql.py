"""Behaviour as SQL: one pass over the events for all that is counted, a pass each for periods and sequences."""

from typing import Final

from keepwell.model.criteria_tree import (
    Behaviour,
    Counted,
    FirstTime,
    Happening,
    InSequence,
    LastEvent,
    Regularly,
    Restarted,
    Stopped,
)
from keepwell.segments.binding import Binding
from keepwell.segments.property_sql import PropertySql, in_document

_EARLIEST: Final = -(2**62)
OVERALL: Final = "counted"
"""The sub-query with one row per entity and a column per figure."""


class EventSql:
    """Writes the truth of behaviours at a moment over the relation `events` (entity, t, ord, name, properties).

    `times` is SQL for how many events a row stands for; None when every row is one.
    """

    def __init__(self, bind: Binding, events: str, at: int, *, times: str | None = None) -> None:
        self.bind, self.events, self.at, self.times = bind, events, at, times
        self.figures: dict[str, str] = {}
        self._bounds: dict[str, tuple[str, int]] = {}

    def truth(self, behaviour: Behaviour) -> str:
        """SQL that is true for entities that behaved so, in a row that is joined with the parts."""
        match behaviour:
            case Counted(event, comparison, count, within, since):
                start = self._start(within) if since is None else since - 1
                return f"({self._count(event, start, self.at)} {_sign(comparison)} {self.bind.value(count)})"
            case FirstTime(event, within):
                first = self._figure("min(t)", event, _EARLIEST, self.at)
                return f"(coalesce({first} > {self.bind.value(self.at - within)}, false))"
            case Stopped(event, quiet, within):
                before = self._count(event, self._start(within), self.at - quiet)
                return f"({before} > 0 AND {self._count(event, self.at - quiet, self.at)} = 0)"
            case Restarted():
                return self._restarted(behaviour)
            case Regularly():
                return self._regularly(behaviour)
            case InSequence():
                return self._sequence(behaviour)
            case LastEvent():
                return self._last(behaviour)

    def counted_part(self) -> str | None:
        """The one pass over the events for all figures asked for; None when there are none."""
        if not self.figures:
            return None
        columns = ", ".join(f"{sql} AS {name}" for sql, name in self.figures.items())
        earliest = min(start for _, start in self._bounds.values())
        names = " OR ".join(dict.fromkeys(name for name, _ in self._bounds.values()))
        where = f"{self._span(earliest, self.at)} AND ({names})"
        return f"SELECT entity, {columns} FROM {self.events} WHERE {where} GROUP BY entity"  # noqa: S608

    def _restarted(self, behaviour: Restarted) -> str:
        event, recent = behaviour.event, self.at - behaviour.within
        quiet = recent - behaviour.quiet
        return (
            f"({self._count(event, recent, self.at)} > 0 AND {self._count(event, quiet, recent)} = 0"
            f" AND {self._count(event, _EARLIEST, quiet)} > 0)"
        )

    def _regularly(self, behaviour: Regularly) -> str:
        at, period = self.bind.value(self.at), self.bind.value(behaviour.period)
        start = self.at - behaviour.period * behaviour.total
        periods = (
            f"SELECT entity, ({at} - t) // {period} AS period, {self._amount()} AS n FROM {self.events}"  # noqa: S608
            f" WHERE {self._span(start, self.at)} AND {self._picked(behaviour.event)} GROUP BY entity, period"
        )
        enough = f"n {_sign(behaviour.comparison)} {self.bind.value(behaviour.count)}"
        figures = f"count(*) FILTER ({enough}) AS good, count(*) AS seen"
        part = self.bind.part(repr(behaviour), "periods", f"SELECT entity, {figures} FROM ({periods}) GROUP BY entity")  # noqa: S608
        # Periods without any event have no row: whether they count is the same for everyone.
        silent = f"({self.bind.value(behaviour.total)} - coalesce({part}.seen, 0))"
        zero = f"CASE WHEN 0 {_sign(behaviour.comparison)} {self.bind.value(behaviour.count)} THEN {silent} ELSE 0 END"
        return f"(coalesce({part}.good, 0) + {zero} >= {self.bind.value(behaviour.minimum)})"

    def _sequence(self, behaviour: InSequence) -> str:
        """Each step keeps the events that have an event of the step before at a suitable earlier time.

        The latest earlier one decides: if any is near enough, it is.
        """
        done = self._events_of(behaviour.steps[0], self._start(behaviour.within))
        for step in behaviour.steps[1:]:
            events = self._events_of(step, self._start(behaviour.within))
            near = "" if behaviour.gap is None else f" WHERE e.t - d.t <= {self.bind.value(behaviour.gap)}"
            done = (
                f"SELECT e.entity, e.t FROM ({events}) e ASOF JOIN ({done}) d"  # noqa: S608
                f" ON e.entity = d.entity AND e.t > d.t{near}"
            )
        part = self.bind.part(repr(behaviour), "sequence", f"SELECT DISTINCT entity, true AS done FROM ({done})")  # noqa: S608
        return f"(coalesce({part}.done, false))"

    def _last(self, behaviour: LastEvent) -> str:
        event = behaviour.event
        properties = self._figure("arg_max(properties, (t, ord))", event, self._start(behaviour.within), self.at)
        has = self._property_sql(properties).criteria(behaviour.has)
        return f"({properties} IS NOT NULL AND {has})"

    def _events_of(self, event: Happening, start: int) -> str:
        return f"SELECT entity, t FROM {self.events} WHERE {self._span(start, self.at)} AND {self._picked(event)}"  # noqa: S608

    def _count(self, event: Happening, start: int, end: int) -> str:
        return f"coalesce({self._figure(self._amount(), event, start, end)}, 0)"

    def _figure(self, aggregate: str, event: Happening, start: int, end: int) -> str:
        """The column with an aggregate over the picked events of (start, end]."""
        sql = f"{aggregate} FILTER (WHERE {self._picked(event)} AND {self._span(start, end)})"
        name = self.figures.setdefault(sql, f"f{len(self.figures)}")
        self._bounds[name] = (self._named(event), start)
        return f"{OVERALL}.{name}"

    def _amount(self) -> str:
        return "count(*)" if self.times is None else f"sum({self.times})"

    def _picked(self, event: Happening) -> str:
        named = self._named(event)
        if event.where is None:
            return named
        return f"{named} AND {self._property_sql('properties').criteria(event.where)}"

    def _property_sql(self, document: str) -> PropertySql:
        return PropertySql(self.bind, in_document(document, self.bind), self.at, absent_is_false=True)

    def _named(self, event: Happening) -> str:
        if event.prefix is None:
            return f"name = {self.bind.value(event.name)}"
        return f"starts_with(name, {self.bind.value(event.prefix)})" if event.prefix else "true"

    def _span(self, start: int, end: int) -> str:
        since = "" if start <= _EARLIEST else f"t > {self.bind.value(start)} AND "
        return f"{since}t <= {self.bind.value(end)}"

    def _start(self, within: int | None) -> int:
        return _EARLIEST if within is None else self.at - within


def _sign(comparison: str) -> str:
    return "<>" if comparison == "!=" else comparison
