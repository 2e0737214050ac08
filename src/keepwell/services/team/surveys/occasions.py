"""Occasions to ask: what a published day and the warehouse say happened to customers in the days before it."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from keepwell.model.survey_definitions import (
    OnChange,
    OnDate,
    OnMilestone,
    OnPeriod,
    OnTicket,
    Survey,
)
from keepwell.reporting.reading import Day
from keepwell.warehouse.storage import Warehouse

LOOK_BACK: Final = 7
"""So many days before a published one are looked at, so that a pause of the worker loses nothing."""
_UPGRADE: Final = "x.plan_before IS DISTINCT FROM x.plan_after AND x.mrr_after > coalesce(x.mrr_before, 0)"
_TICKETS: Final = (
    "SELECT k.customer_id, x.ticket_id, x.resolved_at, x.person_id, x.subject FROM tickets x"
    " JOIN customer_keys k USING (customer) WHERE x.deleted_at IS NULL AND x.resolved_at >= ? AND x.resolved_at < ?"
    " ORDER BY x.resolved_at, x.ticket_id"
)
_CHANGES: Final = (
    "SELECT k.customer_id, x.change_id, x.occurred_at, NULL, x.plan_after FROM subscription_changes x"
    " JOIN customer_keys k USING (customer) WHERE x.deleted_at IS NULL AND x.occurred_at >= ? AND x.occurred_at < ?"
    " AND {which} ORDER BY x.occurred_at, x.change_id"
)
_MILESTONES: Final = (
    "SELECT k.customer_id, x.milestone_id, x.completed_at, x.person_id, x.name FROM milestones x"
    " JOIN customer_keys k USING (customer) WHERE x.deleted_at IS NULL AND x.completed_at >= ? AND x.completed_at < ?"
    " AND x.kind = ? ORDER BY x.completed_at, x.milestone_id"
)


@dataclass(frozen=True)
class Occasion:
    """One reason to ask one customer. `name` tells it from every other; `person_id` is who it is about, if anybody.

    `users` are ids of who did it, in the product: that person is asked if known and reachable, else whoever the survey
    is for.
    """

    customer_id: str
    name: str
    at: datetime
    trigger: str
    person_id: str = ""
    about: str = ""
    ticket_id: str = ""
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """A published day with the open warehouse."""

    day: Day
    warehouse: Warehouse
    zone: ZoneInfo

    @property
    def first(self) -> date:
        """The first day that is looked at."""
        return self.day.as_of - timedelta(days=LOOK_BACK - 1)

    def moment(self, day: date) -> datetime:
        """When a day begins."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def rows(self, sql: str, *more: Any) -> Iterator[tuple[str, str, datetime, str | None, str | None]]:
        """Rows of the days that are looked at: customer, id, moment, person and words."""
        ends = (self.moment(self.first), self.moment(self.day.as_of + timedelta(days=1)))
        plain = [moment.replace(tzinfo=None) for moment in ends]
        for customer, key, at, person, words in self.warehouse.connection.execute(sql, [*plain, *more]).fetchall():
            yield customer, key, at.replace(tzinfo=UTC), person, words


def occasions(seen: Seen, survey: Survey) -> Iterator[Occasion]:
    """Every occasion of a survey in the days before, of customers who are still there."""
    here = {str(name) for name, present in zip(seen.day.ids, seen.day.here, strict=True) if present}
    for trigger in survey.on:
        look = _LOOKS.get(type(trigger))
        if look is not None:
            yield from (one for one in look(seen, trigger) if one.customer_id in here)


def _dates(seen: Seen, trigger: OnDate) -> Iterator[Occasion]:
    name = f"m.{trigger.date}" if f"m.{trigger.date}" in seen.day else trigger.date
    words = f"{trigger.after_days} days after {trigger.date.replace('_', ' ')}"
    for customer, begun in zip(seen.day.ids, seen.day.dates(name), strict=True):
        due = None if begun is None else begun + timedelta(days=trigger.after_days)
        if due is not None and seen.first <= due <= seen.day.as_of:
            yield Occasion(str(customer), f"date:{trigger.date}:{customer}:{due}", seen.moment(due), words)


def _periods(seen: Seen, trigger: OnPeriod) -> Iterator[Occasion]:
    words = f"Every {trigger.every_days} days"
    for customer in seen.day.ids:
        late = (seen.day.as_of.toordinal() + zlib.crc32(str(customer).encode())) % trigger.every_days
        if late < LOOK_BACK:
            due = seen.day.as_of - timedelta(days=late)
            yield Occasion(str(customer), f"period:{customer}:{due}", seen.moment(due), words)


def _tickets(seen: Seen, _: OnTicket) -> Iterator[Occasion]:
    for customer, ticket, at, person, subject in seen.rows(_TICKETS):
        yield Occasion(customer, f"ticket:{ticket}", at, "Ticket resolved", person or "", subject or "", ticket)


def _changes(seen: Seen, trigger: OnChange) -> Iterator[Occasion]:
    upgrade = trigger.change == "upgrade"
    sql = _CHANGES.format(which=_UPGRADE if upgrade else "x.change_type = ?")
    for customer, change, at, _, plan in seen.rows(sql, *(() if upgrade else (trigger.change,))):
        yield Occasion(customer, f"change:{change}", at, trigger.change.capitalize(), about=plan or "")


def _milestones(seen: Seen, trigger: OnMilestone) -> Iterator[Occasion]:
    words = f"{trigger.milestone.replace('_', ' ').capitalize()} done"
    for customer, milestone, at, person, name in seen.rows(_MILESTONES, trigger.milestone):
        yield Occasion(customer, f"milestone:{milestone}", at, words, person or "", name or "")


_LOOKS: Final[Mapping[type, Callable[[Seen, Any], Iterator[Occasion]]]] = {
    OnDate: _dates,
    OnPeriod: _periods,
    OnTicket: _tickets,
    OnChange: _changes,
    OnMilestone: _milestones,
}
