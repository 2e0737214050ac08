"""The last look at a message before it leaves: whether it still may, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keepwell.playbooks.calendars import work_calendar
from keepwell.playbooks.entries import contact_time
from keepwell.playbooks.state import state_from
from keepwell.services.team.outbox.suppression import MARKETING, suppressed
from keepwell.services.team.outbox.switches import live
from keepwell.services.team.outbox.texts import calendar_now
from keepwell.services.team.playing.happenings import START
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Channel, Happening, Outgoing, PlaybookRun, SurveyInvitation

_REACHES: Final = frozenset({"email", "in_app"})
"""Channels that quiet hours and caps are about."""
ENDED: Final = "The playbook ended before: "
_MOMENT: Final = timedelta(seconds=2)
_SOON: Final = timedelta(seconds=30)
_LEFT: Final = (Outgoing.State.SENT, Outgoing.State.REHEARSED)


class Verdict(StrEnum):
    """What is to be done with a message; the last three are states of Outgoing."""

    SEND = "send"
    REHEARSE = "rehearse"
    LATER = "later"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    DEAD = "dead"


@dataclass(frozen=True)
class Found:
    """A verdict, with its reason or its moment."""

    what: Verdict
    why: str = ""
    until: datetime | None = None


def verdict(workspace: Workspace, row: Outgoing, *, known: bool, now: datetime) -> Found:
    """Look at a message that is due; `known` says whether there is somebody to hand it to."""
    if row.run is not None and stopped(workspace, row.run, row.made_at):
        return Found(Verdict.CANCELLED, f"{ENDED}{row.run.reason or 'stopped'}")
    if not known:
        return Found(Verdict.DEAD, f"There is no way to send anything by “{row.channel}”.")
    asks = row.payload.get("invitation")
    if asks and (over := _asked_enough(asks, now)):
        return Found(Verdict.CANCELLED, over)
    purpose = MARKETING if asks else row.purpose  # who wants no news is asked nothing either
    against = suppressed(row.address, purpose) if row.address and "@" in row.address else None
    if against is not None:
        return Found(Verdict.SUPPRESSED, f"{against.get_why_display()}: {row.address} is on the list of addresses")
    ready = max(free_at(workspace, row, now), _settled_at(row, now))
    if ready > now:
        return Found(Verdict.LATER, until=ready)
    return Found(Verdict.SEND if live(row.channel, row.audience) else Verdict.REHEARSE)


def _asked_enough(invitation_id: int, now: datetime) -> str:
    """Why a question of a survey need not be asked any more; empty while it may be."""
    asked = SurveyInvitation.objects.filter(pk=invitation_id).only("answered_at", "expires_at").first()
    if asked is not None and asked.answered_at is not None:
        return "It was answered before."
    return "The survey ended before." if asked is not None and now > asked.expires_at else ""


def _settled_at(row: Outgoing, now: datetime) -> datetime:
    """Not before its run has heard what happened, and nobody else is just writing to the customer."""
    if row.audience != Channel.Audience.CUSTOMER:
        return now
    unheard = Happening.objects.filter(customer_id=row.customer_id, heard_at=None, at__lte=now).exclude(kind=START)
    if row.run is not None and row.run.ended_at is None and unheard.exists():
        return now + _MOMENT
    return now + _SOON if row.channel in _REACHES and _being_written_to(row) else now


def _being_written_to(row: Outgoing) -> bool:
    """Whether another message is on its way to the customer: whether it counts against the cap is not known yet."""
    mine = contact_of(row.payload.get("contact"), row.key)
    others = Outgoing.objects.filter(
        customer_id=row.customer_id, audience=row.audience, channel__in=_REACHES, state=Outgoing.State.SENDING
    )
    found = others.exclude(customer_id="").exclude(pk=row.pk).values_list("key", "payload__contact")
    return any(contact_of(contact, key) != mine for key, contact in found)


def stopped(workspace: Workspace, run: PlaybookRun, made_at: datetime) -> bool:
    """Whether a run was stopped after it asked for a message; one that went all its way stopped nothing."""
    if run.ended_at is None or run.ended_at <= made_at:
        return False
    return not plays_of(workspace).of_run(run).came_to_its_end(state_from(run.state))


def free_at(workspace: Workspace, row: Outgoing, now: datetime) -> datetime:
    """The first moment at which a customer may be written to, by quiet hours and the workspace's cap."""
    if row.audience != Channel.Audience.CUSTOMER or row.channel not in _REACHES:
        return now
    calendar = calendar_now(workspace)
    days = calendar.cap.per_days if calendar.cap else 0
    contacts = _contacts(row, now - timedelta(days=days)) if days else ()
    return contact_time(work_calendar(calendar, workspace.zone), (calendar.cap,), tuple(contacts), now)


def _contacts(row: Outgoing, since: datetime) -> Iterable[datetime]:
    """When the customer was reached; a message to several people at once counts once, and so does this one."""
    others = Outgoing.objects.filter(
        customer_id=row.customer_id,
        audience=Channel.Audience.CUSTOMER,
        channel__in=_REACHES,
        state__in=_LEFT,
        sent_at__gt=since,
    )
    mine = contact_of(row.payload.get("contact"), row.key)
    moments: dict[str, datetime] = {}
    for key, contact, sent_at in others.values_list("key", "payload__contact", "sent_at"):
        name = contact_of(contact, key)
        if name != mine and sent_at is not None:
            moments[name] = min(sent_at, moments.get(name, sent_at))
    return moments.values()


def contact_of(contact: object, key: str) -> str:
    """What counts as one contact: the effect that asked for the message, or the message itself."""
    return str(contact or key)
