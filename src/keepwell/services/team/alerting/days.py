"""A published day for alerts: signals that turned on open them, signals that stay off resolve them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import transaction

from keepwell.playbooks.facts import Facts
from keepwell.services.playbook_facts import DayFacts, day_facts
from keepwell.services.team.alerting.raising import Cause, raise_alert, resolve_by_itself
from keepwell.services.team.alerting.rules import Ruling, ruling_of
from keepwell.services.team.alerting.telling import People
from keepwell.services.team.named_values import remember, remembered
from keepwell.services.team.outbox.announcing import targets_known
from keepwell.services.team.playing.known import Known
from keepwell.services.team.prepared import Prepared
from keepwell.services.team.seen_days import as_seen
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import off_long_enough
from keepwell.store.models import Alert

SETTING: Final = "alerts_day"
MOST_MISSED: Final = 14
"""What turned on longer ago than so many days is no news."""


@dataclass(frozen=True)
class AlertsOpened:
    """What a day did."""

    opened: int = 0
    resolved: int = 0


def open_from_day(workspace: Workspace, as_of: date, now: datetime) -> AlertsOpened:
    """Compare a published day with the one before it; repeating a day changes nothing.

    The first day on record opens nothing: what has been so for long is work for the queue. A day that lies before
    one that was looked at is left.
    """
    ruling = ruling_of(workspace)
    seen = _seen()
    if seen is not None and seen[0] > as_of:
        return AlertsOpened()
    earlier = _earlier(workspace, as_of, seen)
    today = day_facts(workspace.snapshots, as_of, ruling.names)
    causes = list(_causes(workspace, ruling, today, earlier))
    over = list(_over(workspace, ruling, today))
    with transaction.atomic(), targets_known():
        people = People()
        opened = sum(raise_alert(ruling, cause, now, people) is not None for cause in causes)
        resolved = sum(_resolved(number, why, now) for number, why in over)
        told = {"as_of": as_of.isoformat(), "before": earlier.isoformat() if earlier else None}
        remember(SETTING, told)
    return AlertsOpened(opened, resolved)


def _seen() -> tuple[date, date | None] | None:
    """The last day that was looked at, and which one it was compared with."""
    last = remembered(SETTING)
    if not last:
        return None
    before = last["before"]
    return date.fromisoformat(last["as_of"]), date.fromisoformat(before) if before else None


def _earlier(workspace: Workspace, as_of: date, seen: tuple[date, date | None] | None) -> date | None:
    """The day to compare with: the last one looked at, so that a pause of the worker hides nothing."""
    published = [day for day in workspace.snapshots.dates() if day < as_of]
    if seen is not None:
        compared = seen[1] if seen[0] == as_of else seen[0]
        if compared in published and as_of - compared <= timedelta(days=MOST_MISSED):
            return compared
    return published[-1] if published else None


def _causes(workspace: Workspace, ruling: Ruling, today: DayFacts, earlier: date | None) -> Iterator[Cause]:
    """Signals of rules that are on and were off, or whose customer was not there."""
    if earlier is None or not ruling.rules.signals:
        return
    before = day_facts(as_seen(workspace, earlier, today.as_of), earlier, ())
    at = ruling.calendar.at(today.as_of, time(0))
    for customer in today.customers():
        facts, then = today.facts(customer), before.facts(customer)
        if facts is None or not facts.active or not facts.signals:
            continue
        for rule, signals in ruling.rules.signals.items():
            name = next((one for one in signals if one in facts.signals), None)
            if name is not None and not (then is not None and then.active and name in then.signals):
                key = f"{name}:{today.as_of}"
                yield Cause(rule, customer, _known(customer, facts), key, at, name, signal=True)


def _known(customer: str, facts: Facts) -> Known:
    owner = str(facts.values.get("owner_email") or "").strip().lower()
    return Known(facts, str(facts.values.get("company") or customer)[:255], owner[:255])


def _over(workspace: Workspace, ruling: Ruling, today: DayFacts) -> Iterator[tuple[int, str]]:
    """Open alerts whose reason is gone: the customer left, or the signal was off for long enough."""
    open_ones = list(Alert.objects.exclude(state=Alert.State.RESOLVED).order_by("pk"))
    days: dict[date, DayFacts] = {today.as_of: today}
    published = frozenset(workspace.snapshots.dates()) if open_ones else frozenset()
    for one in open_ones:
        facts, signal = today.facts(one.customer_id), str(one.values.get("signal", ""))
        if facts is not None and not facts.active:
            yield one.pk, "The customer left"
            continue
        rule = ruling.model.alerts.get(one.rule)
        needed = rule.off_for_days if rule else None
        if not signal or facts is None or needed is None or signal in facts.signals:
            continue
        if off_long_enough(_on(workspace, published, days, today.as_of, one.customer_id, signal, needed), needed):
            yield one.pk, f"The signal has been off for {needed} day{'' if needed == 1 else 's'}"


def _on(
    workspace: Workspace,
    published: Collection[date],
    days: dict[date, DayFacts],
    as_of: date,
    customer: str,
    signal: str,
    needed: int,
) -> list[bool]:
    """Whether a signal was on, on the last days that are on record without a gap, the newest last.

    Behind the last on which it was on nothing is looked at: that is not long enough ago.
    """
    found: list[bool] = []
    for back in range(needed):
        day = as_of - timedelta(days=back)
        if day not in published:
            break
        if day not in days:
            days[day] = day_facts(workspace.snapshots, day, ())
        facts = days[day].facts(customer)
        found.append(facts is not None and signal in facts.signals)
        if found[-1]:
            break
    return found[::-1]


_NOT_YET: Final = Prepared(
    lambda pk: Alert.objects.select_for_update().filter(pk=pk).exclude(state=Alert.State.RESOLVED), pk=int
)


def _resolved(number: int, why: str, now: datetime) -> bool:
    found = _NOT_YET.first(pk=number)
    if found is None:
        return False
    resolve_by_itself(found, why, now)
    return True
