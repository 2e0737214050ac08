"""What must be true of alerts that signals opened: held against the published days, customer by customer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from keepwell.services.playbook_facts import day_facts
from keepwell.services.team.alerting.raising import short
from keepwell.services.team.alerting.rules import Ruling
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, AlertMark

OFF: Final = "The signal has been off"
On = Mapping[str, frozenset[str]]
"""The signals of each customer who is there."""


@dataclass(frozen=True)
class Days:
    """What was on, on every day that was lived through; a day arrives on the morning after it."""

    ruling: Ruling
    on: Mapping[date, On]
    first: date

    def broken(self) -> list[str]:
        """Every rule that is broken, in words."""
        return [*self._opened(), *self._resolved(), *self._left_open()]

    def _opened(self) -> Iterator[str]:
        """A signal counts on the day on which it turned on, and then always: never while it stayed on."""
        known = set(AlertMark.objects.exclude(key=None).values_list("key", flat=True))
        for rule, customer, name, day in self._seen():
            before = self.on.get(day - timedelta(days=1))
            turned = before is not None and name not in before.get(customer, frozenset())
            if turned != (_key(rule, customer, name, day) in known):
                heard = "was not heard of" if turned else "was heard of though it stayed on"
                yield f"{rule} of {customer}: {name} of {day} {heard}"

    def _seen(self) -> Iterator[tuple[str, str, str, date]]:
        """Every signal that a rule hears of, on every day on which it was on."""
        for day, there in ((day, there) for day, there in self.on.items() if day >= self.first):
            for customer, signals in there.items():
                for rule, names in self.ruling.rules.signals.items():
                    if found := next((name for name in names if name in signals), None):
                        yield rule, customer, found, day

    @cached_property
    def _causes(self) -> Mapping[int, str]:
        """The alerts that a signal opened, or was counted in."""
        keys = {_key(*seen): seen[2] for seen in self._seen()}
        marks = AlertMark.objects.filter(kind__in=["opened", "again"]).exclude(key=None)
        return {alert: keys[key] for alert, key in marks.values_list("alert_id", "key") if key in keys}

    def _resolved(self) -> Iterator[str]:
        """What closed by itself had been off for long enough."""
        for alert in Alert.objects.filter(state="resolved", resolved_why__startswith=OFF):
            signal, needed = self._causes.get(alert.pk, ""), self.ruling.model.alerts[alert.rule].off_for_days or 0
            if alert.resolved_at is None or not signal:
                yield f"{alert.rule} of {alert.customer_id} was closed by a signal that it knows nothing of"
                continue
            last = alert.resolved_at.astimezone(self.ruling.calendar.zone).date() - timedelta(days=1)
            if not self._off(alert.customer_id, signal, last, needed):
                yield f"{alert.rule} of {alert.customer_id} was closed on {last} though {signal} was on"

    def _left_open(self) -> Iterator[str]:
        """What has been off for long enough is closed, unless an event alone opened it."""
        last = max(self.on)
        for alert in Alert.objects.exclude(state="resolved"):
            signal, needed = self._causes.get(alert.pk), self.ruling.model.alerts[alert.rule].off_for_days
            if alert.customer_id not in self.on[last]:
                yield f"{alert.rule} of {alert.customer_id} is open though the customer left"
            elif signal and needed and self._off(alert.customer_id, signal, last, needed):
                yield f"{alert.rule} of {alert.customer_id} is open though {signal} was off for {needed} days"

    def _off(self, customer: str, signal: str, last: date, needed: int) -> bool:
        days = [last - timedelta(days=back) for back in range(needed)]
        return all(day in self.on and signal not in self.on[day].get(customer, frozenset()) for day in days)


def _key(rule: str, customer: str, signal: str, day: date) -> str:
    """The key by which a signal of a day counts once."""
    return f"{rule[:60]}:{short(f'{rule}|{customer}|{signal}:{day}')}"


def days_of(workspace: Workspace, ruling: Ruling, dates: Sequence[date]) -> Days:
    """The days as they were published, with the one before the first: that is what it was compared with."""
    found: dict[date, On] = {}
    before = [day for day in workspace.snapshots.dates() if day < min(dates)]
    for day in (*before[-1:], *dates):
        facts = day_facts(workspace.snapshots, day, ())
        there = ((customer, facts.facts(customer)) for customer in facts.customers())
        found[day] = {customer: one.signals for customer, one in there if one is not None and one.active}
    return Days(ruling, found, min(dates))
