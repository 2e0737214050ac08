"""Checklists: what a team goes through every day, week and month, ticked by people, and by data where data can tell."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction

from keepwell.model.checklist_definitions import Checklist, ChecklistItem
from keepwell.model.problems import DefinitionError
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.checks import Period, Said, said_by_data
from keepwell.services.team.outbox.texts import model_now
from keepwell.services.team.task_days import published_model
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import ChecklistTick

PAST: Final = 6
"""So many earlier periods are shown."""
NOTE_LONGEST: Final = 255


class TickRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """A tick that cannot be made or taken back; the message says why."""


@dataclass(frozen=True)
class ItemShown:
    """An item as it stands in this period; `data` is what the data say now, None where they cannot tell."""

    name: str
    item: ChecklistItem
    tick: ChecklistTick | None
    data: Said | None

    @property
    def done(self) -> bool:
        """Ticked by somebody or by data, or true at this moment."""
        return self.tick is not None or (self.data is not None and self.data.done)


@dataclass(frozen=True)
class PeriodShown:
    """An earlier period: how much of the list was done."""

    name: str
    label: str
    done: int
    of: int


@dataclass(frozen=True)
class ListShown:
    """A checklist in this period, and how earlier ones went."""

    name: str
    label: str
    checklist: Checklist
    period: Period
    items: tuple[ItemShown, ...]
    past: tuple[PeriodShown, ...] = field(default=())

    @property
    def done(self) -> int:
        """How many items are done."""
        return sum(item.done for item in self.items)


def checklists_of(workspace: Workspace) -> Mapping[str, Checklist]:
    """The checklists of the model; those of the published day while somebody's mistake makes it unreadable."""
    try:
        return model_now(workspace).checklists
    except (DefinitionError, WorkspaceError):
        return published_model(workspace).checklists


def period_of(every: str, day: date) -> Period:
    """The day, week or month that a day is in; weeks are those of ISO 8601, from Monday on."""
    if every == "day":
        return Period(day.isoformat(), day, day)
    if every == "week":
        year, week, weekday = day.isocalendar()
        first = day - timedelta(days=weekday - 1)
        return Period(f"{year}-W{week:02d}", first, first + timedelta(days=6))
    last = calendar.monthrange(day.year, day.month)[1]
    return Period(f"{day:%Y-%m}", day.replace(day=1), day.replace(day=last))


def checklists_shown(workspace: Workspace, today: date, now: datetime) -> list[ListShown]:
    """Every checklist as it stands; what the data say is looked up once for all of them."""
    lists = checklists_of(workspace)
    periods = {name: period_of(one.every, today) for name, one in lists.items()}
    past = {name: _past(one.every, today) for name, one in lists.items()}
    ticks = _ticks(lists, periods, past)
    said = said_by_data(workspace, _asked(lists, periods), today, now)
    return [
        ListShown(
            name=name,
            label=one.label or name.replace("_", " ").capitalize(),
            checklist=one,
            period=periods[name],
            items=tuple(
                ItemShown(key, item, ticks.get((name, key, periods[name].name)), said.get((name, key)))
                for key, item in one.items.items()
            ),
            past=tuple(_went(name, one, period, ticks) for period in past[name]),
        )
        for name, one in lists.items()
    ]


@transaction.atomic
def tick(
    who: Actor, workspace: Workspace, checklist: str, item: str, today: date, now: datetime, note: str = ""
) -> ChecklistTick:
    """Tick an item of the period that today is in; one that is ticked stays as it is. Raises TickRefused."""
    one, definition = _item(workspace, checklist, item)
    made, new = ChecklistTick.objects.get_or_create(
        checklist=checklist,
        item=item,
        period=period_of(one.every, today).name,
        defaults={"person": who.person, "note": note.strip()[:NOTE_LONGEST], "at": now},
    )
    if new:
        _record(who, made, "ticked", definition.text, now)
    return made


@transaction.atomic
def untick(who: Actor, workspace: Workspace, checklist: str, item: str, today: date, now: datetime) -> None:
    """Take a tick of the current period back. Raises TickRefused."""
    one, definition = _item(workspace, checklist, item)
    period = period_of(one.every, today).name
    found = ChecklistTick.objects.select_for_update().filter(checklist=checklist, item=item, period=period).first()
    if found is None:
        return
    if found.person_id is None:
        raise TickRefused("The data ticked this, so it cannot be taken back.")
    _record(who, found, "taken_back", definition.text, now)
    found.delete()


def tick_from_data(workspace: Workspace, today: date, now: datetime) -> int:
    """Tick what the data say is done; how many items that were. What was true once in a period stays ticked."""
    lists = checklists_of(workspace)
    periods = {name: period_of(one.every, today) for name, one in lists.items()}
    there = set(
        ChecklistTick.objects.filter(period__in=[p.name for p in periods.values()]).values_list("checklist", "item")
    )
    asked = {key: value for key, value in _asked(lists, periods).items() if key not in there}
    said = said_by_data(workspace, asked, today, now) if asked else {}
    rows = [
        ChecklistTick(checklist=name, item=item, period=periods[name].name, note=told.words[:NOTE_LONGEST], at=now)
        for (name, item), told in said.items()
        if told.done
    ]
    ChecklistTick.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _asked(
    lists: Mapping[str, Checklist], periods: Mapping[str, Period]
) -> dict[tuple[str, str], tuple[ChecklistItem, Period]]:
    return {
        (name, key): (item, periods[name])
        for name, one in lists.items()
        for key, item in one.items.items()
        if item.done_when is not None
    }


def _past(every: str, today: date) -> tuple[Period, ...]:
    found, day = [], period_of(every, today).first
    for _ in range(PAST):
        found.append(period_of(every, day - timedelta(days=1)))
        day = found[-1].first
    return tuple(found)


def _ticks(
    lists: Mapping[str, Checklist], periods: Mapping[str, Period], past: Mapping[str, tuple[Period, ...]]
) -> dict[tuple[str, str, str], ChecklistTick]:
    names = {period.name for name in lists for period in (periods[name], *past[name])}
    found = ChecklistTick.objects.filter(checklist__in=lists, period__in=names).select_related("person")
    return {(one.checklist, one.item, one.period): one for one in found}


def _went(
    name: str, one: Checklist, period: Period, ticks: Mapping[tuple[str, str, str], ChecklistTick]
) -> PeriodShown:
    done = sum((name, key, period.name) in ticks for key in one.items)
    return PeriodShown(period.name, period.label(one.every), done, len(one.items))


def _item(workspace: Workspace, checklist: str, item: str) -> tuple[Checklist, ChecklistItem]:
    one = checklists_of(workspace).get(checklist)
    if one is None or item not in one.items:
        raise TickRefused("This item is no longer in the model.")
    return one, one.items[item]


def _record(who: Actor, row: ChecklistTick, what: str, text: str, now: datetime) -> None:
    record(
        who,
        at=now,
        action=f"checklist.{what}",
        kind="checklist",
        object_id=f"{row.checklist}.{row.item}",
        summary=f"{text} ({row.period}): {what.replace('_', ' ')}",
        after={"period": row.period, "note": row.note},
    )
