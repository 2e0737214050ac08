"""The alert budget: what a playbook asks of people per week and owner, against what they can do."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

from keepwell.playbooks.events import Wanted
from keepwell.playbooks.play import Play
from keepwell.playbooks.simulate import Done, Replay, weeks_of

OWNER: Final = "owner"
_COLUMNS: Final = {
    Wanted.TASK: "tasks",
    Wanted.APPROVAL: "approvals",
    Wanted.MESSAGE: "messages",
    Wanted.OFFER: "offers",
    Wanted.NOTIFY: "notices",
}


@dataclass(frozen=True)
class WeekLoad:
    """One week, by its Monday. `share` is what tasks and approvals take of the team's week; None without a capacity."""

    week: date
    customers: int
    tasks: int
    approvals: int
    messages: int
    offers: int
    notices: int
    share: float | None


@dataclass(frozen=True)
class OwnerLoad:
    """One person, or a role: the tasks and approvals in all, in the mean week and in the busiest one."""

    owner: str
    tasks: int
    per_week: float
    busiest: int


@dataclass(frozen=True)
class Budget:
    """What a replay says before a playbook is switched on."""

    playbook: str
    label: str
    version: str
    first: date
    last: date
    days: int
    capacity: int | None
    customers: int
    runs: int
    held_out: int
    running: int
    weeks: tuple[WeekLoad, ...]
    owners: tuple[OwnerLoad, ...]
    ended: tuple[tuple[str, int], ...]
    refused: tuple[tuple[str, int], ...]

    @property
    def busiest(self) -> WeekLoad | None:
        """The week with the most work for people."""
        return max(self.weeks, key=lambda week: (week.tasks + week.approvals, week.week), default=None)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        plain = asdict(self)
        plain |= {"first": self.first.isoformat(), "last": self.last.isoformat()}
        plain["weeks"] = [asdict(week) | {"week": week.week.isoformat()} for week in self.weeks]
        plain["owners"] = [asdict(owner) for owner in self.owners]
        return plain | {"ended": dict(self.ended), "refused": dict(self.refused)}


def budget(play: Play, found: Replay, first: date, last: date, capacity: int | None) -> Budget:
    """Count a replay by week and by owner."""
    loads = tuple(_week(play, found, monday, capacity) for monday in weeks_of(first, last + timedelta(days=1)))
    return Budget(
        playbook=play.name,
        label=play.playbook.label or play.name,
        version=play.version,
        first=first,
        last=last,
        days=found.days,
        capacity=capacity,
        customers=len({customer for _, customer in found.entered}),
        runs=len(found.entered),
        held_out=len(found.held_out),
        running=found.running,
        weeks=loads,
        owners=_owners(play, found.done, len(loads)),
        ended=tuple(found.ended.most_common()),
        refused=tuple(found.refused.most_common()),
    )


def _monday(play: Play, done: Done) -> date:
    day = play.calendar.local(done.at).date()
    return day - timedelta(days=day.weekday())


def _week(play: Play, found: Replay, monday: date, capacity: int | None) -> WeekLoad:
    here = [done for done in found.done if _monday(play, done) == monday]
    counted = Counter(_COLUMNS[done.effect.kind] for done in here if done.effect.kind in _COLUMNS)
    work = counted["tasks"] + counted["approvals"]
    return WeekLoad(
        week=monday,
        customers=len({done.customer for done in here if done.effect.kind in _COLUMNS}),
        **{name: counted[name] for name in _COLUMNS.values()},
        share=round(work / capacity, 4) if capacity else None,
    )


def _owners(play: Play, done: Sequence[Done], weeks: int) -> tuple[OwnerLoad, ...]:
    """Who would have had the work: the customer's owner, or the role that a step names."""
    by_week: dict[str, Counter[date]] = {}
    for one in done:
        if one.effect.kind in (Wanted.TASK, Wanted.APPROVAL):
            role = str(one.effect.details.get("assign_to") or one.effect.details.get("by"))
            who = one.owner if role == OWNER else f"role: {role.replace('_', ' ')}"
            by_week.setdefault(who, Counter())[_monday(play, one)] += 1
    loads = [
        OwnerLoad(who, sum(counts.values()), round(sum(counts.values()) / max(1, weeks), 2), max(counts.values()))
        for who, counts in by_week.items()
    ]
    return tuple(sorted(loads, key=lambda load: (-load.tasks, load.owner)))
