"""What incidents mean: alerts that open or are made good, playbooks that start, logins that runs wait for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from keepwell.playbooks.events import Happened
from keepwell.services.team.alerting.raising import Cause, make_good, raise_alert
from keepwell.services.team.alerting.rules import Ruling, nobody_s_facts, ruling_of
from keepwell.services.team.alerting.telling import People
from keepwell.services.team.playing.happenings import happened_all, happening
from keepwell.services.team.playing.known import Known, look_up
from keepwell.services.team.playing.starts import start_from_event
from keepwell.services.team.surveys.events import ask_after
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Hit, Incident
from keepwell.store.models import PlaybookRun

LOGIN: Final = "login"


@dataclass(frozen=True)
class Heard:
    """Incidents that mean something, with what has to be known to act: everything is read before anything is written.

    `named` are customers whom the last published day does not know yet, by what they call themselves.
    """

    workspace: Workspace
    ruling: Ruling
    hits: Sequence[tuple[Incident, Hit]]
    starts: Sequence[tuple[Incident, str]]
    logins: Sequence[Incident]
    asks: Sequence[Incident]
    known: Mapping[str, Known]
    named: Mapping[str, str]

    def act(self, now: datetime) -> int:
        """Do what follows, in the caller's transaction; how many alerts it touched."""
        people, touched = People() if self.hits else None, 0
        for incident, hit in self.hits:
            cause = self._cause(incident, hit, now)
            if cause is None or people is None:
                continue
            if hit.good:
                touched += make_good(self.ruling, cause, now) is not None
            else:
                touched += raise_alert(self.ruling, cause, now, people) is not None
        for incident, name in self.starts:
            if incident.customer_id in self.known:
                start_from_event(self.workspace, incident.customer_id, name, incident.key, incident.at, now)
        self._tell_runs()
        if asks := [incident for incident in self.asks if incident.customer_id in self.known]:
            ask_after(self.workspace, self.ruling.model, asks, now)
        return touched

    def _cause(self, incident: Incident, hit: Hit, now: datetime) -> Cause | None:
        known = self.known.get(incident.customer_id)
        if known is None:
            company = self.named.get(incident.customer_id)
            if company is None:
                return None
            known = Known(nobody_s_facts(incident.customer_id, company, now), company[:255])
        elif not known.facts.active:
            return None
        return Cause(
            hit.rule,
            incident.customer_id,
            known,
            incident.key,
            incident.at,
            hit.cause,
            properties=incident.properties,
            shown=incident.about,
        )

    def _tell_runs(self) -> None:
        """A login is an answer that ends ladders."""
        if not self.logins:
            return
        there = {incident.customer_id for incident in self.logins}
        running = PlaybookRun.objects.filter(customer_id__in=there, ended_at=None).order_by()
        waiting = set(running.values_list("customer_id", flat=True))
        happened_all(
            [
                happening(one.customer_id, Happened.RESPONSE, name=LOGIN, key=f"login:{one.key}", at=one.at)
                for one in self.logins
                if one.customer_id in waiting
            ]
        )


def hear(
    workspace: Workspace, ruling: Ruling, incidents: Iterable[Incident], named: Mapping[str, str] | None = None
) -> Heard:
    """What incidents mean, and what has to be known of their customers."""
    hits, starts, logins, asks = [], [], [], []
    for incident in incidents:
        hits += [(incident, hit) for hit in ruling.rules.hits(incident)]
        starts += [(incident, name) for name in incident.names if name in ruling.starting]
        logins += [incident] if LOGIN in incident.names else []
        asks += [] if ruling.asking.isdisjoint(incident.names) else [incident]
    wanted = {incident.customer_id for incident in (*asks, *(one for one, _ in (*hits, *starts)))}
    known = look_up(workspace)(wanted, ruling.names) if wanted else {}
    return Heard(workspace, ruling, hits, starts, logins, asks, known, named or {})


def wanted_names(ruling: Ruling) -> frozenset[str]:
    """Events that mean something at once."""
    return ruling.rules.events | ruling.starting | ruling.asking | {LOGIN}


@transaction.atomic
def arrived(workspace: Workspace, incidents: Iterable[Incident], now: datetime) -> int:
    """Incidents that came another way than through the journal: an answer to a survey, a ticket. Counted once by key.

    May be called in a transaction of the caller's.
    """
    return hear(workspace, ruling_of(workspace), incidents).act(now)
