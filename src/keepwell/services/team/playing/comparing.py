"""Whether a playbook works: those for whom it started against those who were left alone, both over the same days."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from keepwell.model.timelines import timeline
from keepwell.playbooks.play import Play
from keepwell.playbooks.simulate import Day
from keepwell.reporting.effects import Effect, share_difference, wilson
from keepwell.services.team.named_values import remembered
from keepwell.services.team.playing.plays import Kept, Plays, plays_of
from keepwell.services.team.playing.seen import only_seen
from keepwell.services.team.playing.shown import Seen
from keepwell.services.workspace import Workspace
from keepwell.store.models import PlaybookHeldOut, PlaybookRun

FEWEST: Final = 10
"""With fewer customers on either side nothing is said of a difference."""
DAY_SETTING: Final = "playbook_day"
"""What keeps the last published day that playbooks have seen."""
_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Arm:
    """Customers whose days are over: how many, and how many of them reached the goal. Of the others the days go on."""

    customers: int = 0
    reached: int = 0
    going_on: int = 0

    @property
    def share(self) -> Effect | None:
        """The share that reached the goal, with its 95 % interval; None without customers."""
        return wilson(self.reached, self.customers) if self.customers else None


@dataclass(frozen=True)
class Comparison:
    """Both sides over the same number of days."""

    days: int
    treated: Arm
    held_out: Arm

    @property
    def sides(self) -> tuple[tuple[str, Arm], ...]:
        """Both, as people call them."""
        return (("With the playbook", self.treated), ("Left alone", self.held_out))

    @property
    def enough(self) -> bool:
        """Whether there are enough customers on both sides to say something."""
        return min(self.treated.customers, self.held_out.customers) >= FEWEST

    @property
    def difference(self) -> Effect | None:
        """How much larger the share is with the playbook, with its 95 % interval (Newcombe 1998, method 10)."""
        one, two = self.treated, self.held_out
        return share_difference(one.reached, one.customers, two.reached, two.customers) if self.enough else None


def window_of(play: Play) -> timedelta:
    """The days over which a playbook is judged, counted from the start, or from when somebody was left alone.

    They are those of its goal, or of the longest run where that is shorter.
    """
    begun = datetime(2001, 1, 1, tzinfo=play.calendar.zone)
    longest = play.calendar.later(begun, timeline(play.playbook.longest)) - begun
    return max(timedelta(days=1), min(timedelta(days=play.playbook.goal_days), longest))


def judge_day(plays: Plays, today: Day) -> int:
    """Keep for whom a goal holds for the first time, started or left alone; how many. Repeating changes nothing."""
    goals = dict(_with_goals(plays))
    if not goals:
        return 0
    zone, names = ZoneInfo(plays.zone), sorted(goals)
    windows = {name: window_of(kept.play) for name, kept in goals.items()}
    runs = PlaybookRun.objects.filter(compared=True, reached_on=None, playbook__in=names)
    held = PlaybookHeldOut.objects.filter(reached_on=None, playbook__in=names)
    since = datetime.combine(today.as_of, datetime.min.time(), zone) - max(windows.values())
    judge = partial(_judged, goals, windows, today, zone)
    return judge(runs.filter(started_at__gte=since), "started_at") + judge(held.filter(at__gte=since), "at")


def playbook_compared(workspace: Workspace, name: str, seen: Seen) -> Comparison | None:
    """How a playbook of the model did by what was published; None where it leaves nobody alone, or has no goal."""
    kept = plays_of(workspace).current(name)
    if kept is None:
        return None
    if not kept.play.playbook.hold_out and not PlaybookHeldOut.objects.filter(playbook=name).exists():
        return None
    return comparison_of(kept.play, seen, last_day())


def comparison_of(play: Play, seen: Seen, until: date | None) -> Comparison | None:
    """How both sides did, of the customers that are seen, by the days until this one; None without a goal."""
    if play.playbook.goal is None:
        return None
    zone, window = play.calendar.zone, window_of(play)
    runs = only_seen(PlaybookRun.objects.filter(playbook=play.name, compared=True), seen).order_by("-started_at")
    held = only_seen(PlaybookHeldOut.objects.filter(playbook=play.name), seen)
    # A customer counts once, by the first time.
    treated = {customer: told for customer, *told in runs.values_list("customer_id", "started_at", "reached_on")}
    left = {customer: told for customer, *told in held.values_list("customer_id", "at", "reached_on")}
    alone = {customer: told for customer, told in left.items() if customer not in treated}

    def arm(rows: Mapping[str, list[Any]]) -> Arm:
        days = ((_day(at, zone) + window, reached) for at, reached in rows.values())
        over = [reached is not None and reached <= last for last, reached in days if until and last <= until]
        return Arm(len(over), sum(over), len(rows) - len(over))

    return Comparison(window.days, arm(treated), arm(alone))


def last_day() -> date | None:
    """The last published day that playbooks have seen."""
    last = remembered(DAY_SETTING)
    return date.fromisoformat(last["as_of"]) if last else None


def _with_goals(plays: Plays) -> Iterator[tuple[str, Kept]]:
    for name, playbook in plays.model.playbooks.items() if plays.model else ():
        kept = plays.current(name) if playbook.goal is not None else None
        if kept is not None:
            yield name, kept


def _judged(
    goals: Mapping[str, Kept],
    windows: Mapping[str, timedelta],
    today: Day,
    zone: ZoneInfo,
    rows: "QuerySet[Any]",
    begun: str,
) -> int:
    reached = [
        pk
        for pk, name, customer, at in rows.values_list("pk", "playbook", "customer_id", begun)
        if _day(at, zone) < today.as_of <= _day(at, zone) + windows[name] and _holds(goals[name], customer, today)
    ]
    for number in range(0, len(reached), _AT_ONCE):
        rows.model._default_manager.filter(pk__in=reached[number : number + _AT_ONCE]).update(reached_on=today.as_of)
    return len(reached)


def _holds(kept: Kept, customer: str, today: Day) -> bool:
    facts = today.facts(customer)
    return facts is not None and facts.active and kept.play.rules.holds(kept.play.playbook.goal, facts)


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
