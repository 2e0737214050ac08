"""A new published day for playbooks: what it starts, and what it means for the runs that are under way."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction

from keepwell.model.definitions import Model, Segment, Signal
from keepwell.model.metric_definitions import Metric
from keepwell.model.playbook_definitions import (
    DateTrigger,
    EnteredTrigger,
    LeftTrigger,
    Playbook,
    ScoreTrigger,
    SignalTrigger,
)
from keepwell.model.score_definitions import Score
from keepwell.playbooks.entries import newcomer, triggered
from keepwell.playbooks.events import Event, Happened
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.simulate import Day
from keepwell.services.playbook_facts import day_facts
from keepwell.services.team.named_values import remember, remembered
from keepwell.services.team.playing.beginning import TRIGGER
from keepwell.services.team.playing.comparing import DAY_SETTING, judge_day
from keepwell.services.team.playing.entering import enterable
from keepwell.services.team.playing.happenings import START, happened_all, happening
from keepwell.services.team.playing.matters import answers, matters
from keepwell.services.team.playing.plays import Kept, Plays, plays_of
from keepwell.services.team.playing.switches import switched_on
from keepwell.services.team.seen_days import as_seen
from keepwell.services.workspace import Workspace
from keepwell.store.models import Happening, PlaybookRun

MOST_MISSED: Final = 14
"""What happened longer ago than so many days starts nothing any more."""
LOGIN_DAYS: Final = ("days_since_login", "days_inactive")
"""Metrics that say how long ago somebody of the customer logged in."""
LOGIN: Final = "login"


@dataclass(frozen=True)
class DayStarted:
    """What a day asked for: playbooks to be started, and runs that hear of it."""

    starts: int
    heard: int


def start_from_day(workspace: Workspace, as_of: date, now: datetime) -> DayStarted:
    """Compare a published day with the one before it; repeating a day changes nothing.

    What follows is done by the next turns. A day older than one that was looked at before is left.
    """
    earlier = _earlier(workspace, as_of)
    if earlier is _STALE:
        return DayStarted(0, 0)
    plays = plays_of(workspace)
    names = {*plays.names, *_names_of_runs(plays), *(n for n in LOGIN_DAYS if plays.model and n in plays.model.metrics)}
    today = day_facts(workspace.snapshots, as_of, names)
    before = day_facts(as_seen(workspace, earlier, as_of), earlier, names) if isinstance(earlier, date) else None
    return day_arrived(plays, before, today, now)


def day_arrived(plays: Plays, before: Day | None, today: Day, now: datetime) -> DayStarted:
    """The same for days that are at hand."""
    running = list(PlaybookRun.objects.filter(ended_at=None).order_by("pk"))
    heard = [*_logins(plays, running, before, today, now), *_changed(plays, running, today, now)]
    called = enterable(list(_triggered(plays, before, today)), now)
    starts = [_start(kept, customer, today.as_of, now) for kept, customer in called]
    with transaction.atomic():
        happened_all([*heard, *starts])
        judge_day(plays, today)
        told = {"as_of": today.as_of.isoformat(), "before": before.as_of.isoformat() if before else None}
        remember(DAY_SETTING, told)
    return DayStarted(len(starts), len(heard))


class _Stale:
    """A day that lies before one that playbooks have seen."""


_STALE: Final = _Stale()


def _earlier(workspace: Workspace, as_of: date) -> date | _Stale | None:
    """The day to compare with: the last that playbooks saw, so that a pause of the worker hides nothing."""
    last = remembered(DAY_SETTING)
    published = [day for day in workspace.snapshots.dates() if day < as_of]
    if last:
        seen = date.fromisoformat(last["as_of"])
        if seen > as_of:
            return _STALE
        before = last["before"] if seen == as_of else last["as_of"]
        compared = date.fromisoformat(before) if before else None
        if compared in published and as_of - compared <= timedelta(days=MOST_MISSED):
            return compared
        if seen == as_of and before is None:
            return None
    return published[-1] if published else None


def _names_of_runs(plays: Plays) -> Iterator[str]:
    pairs = PlaybookRun.objects.filter(ended_at=None).order_by().values_list("playbook", "version").distinct()
    for playbook, version in pairs:
        yield from plays.version(playbook, version).names


def _triggered(plays: Plays, before: Day | None, today: Day) -> Iterator[tuple[Kept, str]]:
    """What the day calls for, by the triggers of playbooks that are on."""
    on = [kept for name in sorted(switched_on()) if (kept := plays.current(name)) is not None]
    for customer in today.customers() if on else ():
        facts = today.facts(customer)
        if facts is None:
            continue
        there = before.facts(customer) if before else None
        for kept in on:
            earlier = newcomer(kept.play.playbook, facts) if before and there is None else there
            if triggered(kept.play.playbook, earlier, facts, kept.play.rules):
                yield kept, customer


def _start(kept: Kept, customer: str, as_of: date, now: datetime) -> Happening:
    name, data = kept.play.name, {"by": trigger_words(kept.model, kept.play.playbook), TRIGGER: True}
    return happening(customer, START, name=name, key=f"day:{name}:{as_of}:{customer}", at=now, data=data)


def trigger_words(model: Model, playbook: Playbook) -> str:
    """What starts a playbook, in words."""
    match playbook.trigger:
        case SignalTrigger(signal=name):
            return f"signal “{_called(model.signals.get(name), name)}”"
        case EnteredTrigger(segment_entered=name):
            return f"entered “{_called(model.segments.get(name), name)}”"
        case LeftTrigger(segment_left=name):
            return f"left “{_called(model.segments.get(name), name)}”"
        case ScoreTrigger(score=name, below=below, reaches=reaches):
            called = _called(model.scores.get(name), name)
            return f"{called} fell below {below:g}" if below is not None else f"{called} reached {reaches:g}"
        case DateTrigger(date=name, days_before=days) if days is not None:
            return f"{days} days before {_called(model.metrics.get(name), name).lower()}"
        case DateTrigger(date=name, days_after=days):
            return f"{days} days after {_called(model.metrics.get(name), name).lower()}"
    return "by itself"


def _called(found: Metric | Segment | Score | Signal | None, name: str) -> str:
    """What people call it."""
    return (found.label if found is not None else "") or name.replace("_", " ")


def _changed(plays: Plays, running: Sequence[PlaybookRun], today: Day, now: datetime) -> Iterator[Happening]:
    """Runs for which the day changes something; the others need not hear of it."""
    for run in running:
        facts = today.facts(run.customer_id)
        event = Event(Happened.CHURNED if facts is None else Happened.FACTS, facts=facts)
        if matters(plays.of_run(run), run, event, now):
            key = f"facts:{run.pk}:{today.as_of}"
            yield happening(run.customer_id, event.kind, key=key, at=now, run=run)


def _logins(
    plays: Plays, running: Iterable[PlaybookRun], before: Day | None, today: Day, now: datetime
) -> Iterator[Happening]:
    """Customers of whom somebody logged in since the day before, where a run hears it first or goes on by it."""
    if before is None:
        return
    zone = ZoneInfo(plays.zone)
    runs: dict[str, list[PlaybookRun]] = defaultdict(list)
    for run in running:
        runs[run.customer_id].append(run)
    for customer in sorted(runs):
        first, last = (_last_login(day.facts(customer)) for day in (before, today))
        if first is not None and last is not None and last > first:
            at = datetime.combine(last, time.max, zone).astimezone(UTC)
            if any(answers(plays, run, LOGIN, at, now) for run in runs[customer]):
                yield happening(customer, Happened.RESPONSE, name=LOGIN, key=f"login:{customer}:{last}", at=at)


def _last_login(facts: Facts | None) -> date | None:
    """The day on which somebody of the customer logged in last."""
    if facts is None:
        return None
    days: Any = next((facts.values[name] for name in LOGIN_DAYS if facts.values.get(name) is not None), None)
    return facts.as_of - timedelta(days=int(days)) if isinstance(days, int | float) else None
