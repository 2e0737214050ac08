"""Out of the outbox: claims what is due, looks once more whether it may leave, hands it over, writes down the result.

A claim is a lease: until the moment at which a message is handed over, another worker may take it when the first one is
gone. From that moment on it is being sent. If nobody confirms that, it may or may not have arrived: words to colleagues
and webhooks are sent again, messages to customers are given up with the reason, for a person to decide.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from keepwell.connectors.channels.results import Result, Retry, Sent
from keepwell.services.team.outbox.announcing import WEBHOOK
from keepwell.services.team.outbox.checks import Verdict, verdict
from keepwell.services.team.outbox.queue import note
from keepwell.services.team.outbox.senders import SENDERS
from keepwell.services.team.outbox.touches import keep_touch
from keepwell.services.team.outbox.unclear import unclear
from keepwell.services.team.playing.holding import hold_customer
from keepwell.services.team.prepared import Prepared, PreparedUpdate
from keepwell.services.workspace import Workspace
from keepwell.store.models import Channel, Outgoing, PlaybookRun

LOG: Final = logging.getLogger("keepwell.outbox")
FEW: Final = 3
"""So many rehearsed messages of one turn are named on the console."""
LEASE: Final = timedelta(minutes=10)
PAUSE: Final = timedelta(minutes=1)
"""So long the rest of what was claimed waits for a way out that did not work: others are claimed in its place."""
BACKOFF: Final = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720, 1440))
"""How long is waited after each failed try; after one more it is given up."""
_CUSTOMER: Final = Channel.Audience.CUSTOMER
_OPEN: Final = (Outgoing.State.WAITING, Outgoing.State.FAILED)


@dataclass(frozen=True)
class Claimed:
    """The messages that a worker has taken, and when; `rehearsed` says to whom those of a dry run would have gone."""

    worker: str
    at: datetime
    rehearsed: list[str] = field(default_factory=list)
    clock: Callable[[], datetime] | None = None

    @property
    def now(self) -> datetime:
        """The moment that it is by now: messages before this one may have taken their time."""
        return self.at if self.clock is None else max(self.at, self.clock())

    def still(self, outgoing_id: int) -> QuerySet[Outgoing]:
        """The row, if it is this claim's."""
        return Outgoing.objects.filter(pk=outgoing_id, claimed_by=self.worker, claimed_at=self.at)


def delivery_turn(
    workspace: Workspace, now: datetime, *, worker: str, limit: int = 50, clock: Callable[[], datetime] | None = None
) -> int:
    """Send what is due; returns how many messages were brought further. Several workers may do this at once.

    With a `clock` each message leaves at its own moment; without one all of them at `now`.
    """
    settled = _settle_lost(now)
    claim = Claimed(worker[:120], now, clock=clock)
    done, tired = 0, set[str]()
    for outgoing_id, customer_id, lane in _claim(claim, limit):
        # What does not answer is not asked again in this turn: what waits behind it must not.
        if lane in tired:
            claim.still(outgoing_id).update(claimed_by="", claimed_at=None, due_at=claim.now + PAUSE)
            continue
        result = _deliver(workspace, outgoing_id, customer_id, claim)
        done += 1
        if isinstance(result, Retry):
            tired.add(lane)
    _say_rehearsed(claim.rehearsed)
    return settled + done


def _due(now: datetime) -> QuerySet[Outgoing]:
    return _free(now, now - LEASE, now + LEASE)


def _free(now: datetime, before: datetime, after: datetime) -> QuerySet[Outgoing]:
    free = Q(claimed_at=None) | Q(claimed_at__lte=before) | Q(claimed_at__gt=after)
    return Outgoing.objects.filter(free, state__in=_OPEN, due_at__lte=now)


_ANY: Final = Prepared(
    lambda now, before, after: _free(now, before, after).only("pk")[:1], now=datetime, before=datetime, after=datetime
)


def _claim(claim: Claimed, limit: int) -> list[tuple[int, str, str]]:
    """Take what is due, words to colleagues first; what another worker is taking is passed over.

    Each comes with the customer whom it reaches, if any, and its lane: its channel, or for webhooks the host.
    """
    if not _ANY(now=claim.at, before=claim.at - LEASE, after=claim.at + LEASE):
        return []
    with transaction.atomic():
        rows = _due(claim.at).order_by("-audience", "due_at", "pk").select_for_update(skip_locked=True)[:limit]
        found = [
            (row.pk, row.customer_id if row.audience == _CUSTOMER else "", _lane(row))
            for row in rows.only("channel", "address", "customer_id", "audience")
        ]
        Outgoing.objects.filter(pk__in=[pk for pk, *_ in found]).update(claimed_by=claim.worker, claimed_at=claim.at)
    return found


def _lane(row: Outgoing) -> str:
    return f"{row.channel} {row.address}" if row.channel == WEBHOOK else row.channel


def _deliver(workspace: Workspace, outgoing_id: int, customer_id: str, claim: Claimed) -> Result | None:
    row = _begin(workspace, outgoing_id, customer_id, claim)
    if row is None:
        return None
    try:
        result = SENDERS[row.channel](row, claim.now)
    except Exception as error:
        LOG.exception("outbox %s: sending failed", row.pk)
        result = unclear(row, f"{type(error).__name__}: {error}")
    _finish(row, result, claim)
    return result


_OURS: Final = Prepared(
    lambda pk, worker, at: Outgoing.objects.filter(
        pk=pk, claimed_by=worker, claimed_at=at, state__in=_OPEN
    ).select_for_update(),
    pk=int,
    worker=str,
    at=datetime,
)
_RUN: Final = Prepared(lambda pk: PlaybookRun.objects.filter(pk=pk), pk=int)
_SENDING: Final = PreparedUpdate(
    lambda pk, attempts: (
        Outgoing.objects.filter(pk=pk),
        {"state": Outgoing.State.SENDING, "attempts": attempts},
    ),
    pk=int,
    attempts=int,
)


@transaction.atomic
def _begin(workspace: Workspace, outgoing_id: int, customer_id: str, claim: Claimed) -> Outgoing | None:
    """Look once more, and say that it is being sent; None when it is not to be sent now.

    Nobody else moves the customer's runs meanwhile, or writes to it.
    """
    if customer_id:
        hold_customer(customer_id, wait=True)
    row = _OURS.first(pk=outgoing_id, worker=claim.worker, at=claim.at)
    if row is None:
        return None
    row.run = _RUN.first(pk=row.run_id) if row.run_id else None
    found = verdict(workspace, row, known=row.channel in SENDERS, now=claim.now)
    match found.what:
        case Verdict.SEND:
            row.state, row.attempts = Outgoing.State.SENDING, row.attempts + 1
            _SENDING(pk=row.pk, attempts=row.attempts)
            return row
        case Verdict.REHEARSE:
            _change(row, state=Outgoing.State.REHEARSED, sent_at=claim.now, claimed_by="", claimed_at=None, error="")
            note(row, "rehearsed", f"Dry run, nothing left: {row}", claim.now)
            claim.rehearsed.append(f"outbox {row.pk}, {row.channel} to {row.address or row.company}: {row.subject}")
        case Verdict.LATER:
            _change(row, due_at=found.until or claim.now, claimed_by="", claimed_at=None)
        case what:
            _change(row, state=Outgoing.State(str(what)), error=found.why, claimed_by="", claimed_at=None)
            note(row, str(what), f"Not sent: {row} ({found.why})", claim.now)
    return None


def _say_rehearsed(rehearsed: list[str]) -> None:
    """On the console: each of a few, and how many where they are more than anybody reads."""
    for line in rehearsed if len(rehearsed) <= FEW else ():
        LOG.info("dry run: %s", line)
    if len(rehearsed) > FEW:
        LOG.info("dry run: %d messages kept in the outbox", len(rehearsed))


@transaction.atomic
def _finish(row: Outgoing, result: Result, claim: Claimed) -> None:
    """Write down what became of it. Who was so slow that it was given up meanwhile may still say that it left."""
    now = claim.now
    about = _outcome(row, result, now)
    if not _written_down(row, result, about):
        return
    for name, value in about.items():
        setattr(row, name, value)
    if isinstance(result, Retry) and not result.tried:
        return
    note(row, row.state, _FINISHED[row.state].format(row=row, why=row.error), now)
    if row.state == Outgoing.State.SENT:
        keep_touch(row, now)


def _written_down(row: Outgoing, result: Result, about: dict[str, Any]) -> int:
    """Whether it was still this worker's to write down."""
    if isinstance(result, Sent) and not result.details:
        sent = {"at": about["sent_at"], "known": about["provider_id"]}
        return _LEFT(pk=row.pk, attempts=row.attempts, **sent)
    states = [Outgoing.State.SENDING, *([Outgoing.State.DEAD] if isinstance(result, Sent) else [])]
    mine = Outgoing.objects.filter(pk=row.pk, attempts=row.attempts, state__in=states)
    return mine.update(claimed_by="", claimed_at=None, **about)


_LEFT: Final = PreparedUpdate(
    lambda pk, attempts, at, known: (
        Outgoing.objects.filter(pk=pk, attempts=attempts, state__in=[Outgoing.State.SENDING, Outgoing.State.DEAD]),
        {
            "state": Outgoing.State.SENT,
            "sent_at": at,
            "provider_id": known,
            "error": "",
            "claimed_by": "",
            "claimed_at": None,
        },
    ),
    pk=int,
    attempts=int,
    at=datetime,
    known=str,
)
_FINISHED: Final[Mapping[str, str]] = {
    Outgoing.State.SENT: "Sent: {row}",
    Outgoing.State.FAILED: "Not sent yet: {row} ({why})",
    Outgoing.State.DEAD: "Given up: {row} ({why})",
}


def _outcome(row: Outgoing, result: Result, now: datetime) -> dict[str, Any]:
    match result:
        case Sent():
            payload = {**row.payload, "sent": result.details} if result.details else row.payload
            known = result.provider_id[:255]
            return {"state": Outgoing.State.SENT, "sent_at": now, "provider_id": known, "error": "", "payload": payload}
        case Retry(tried=False):
            waits = now + timedelta(seconds=result.after or PAUSE.total_seconds())
            state = Outgoing.State.FAILED if row.attempts > 1 else Outgoing.State.WAITING
            return {"state": state, "attempts": row.attempts - 1, "due_at": waits}
        case Retry() if row.attempts <= len(BACKOFF):
            wait = max(BACKOFF[row.attempts - 1], timedelta(seconds=result.after or 0))
            return {"state": Outgoing.State.FAILED, "due_at": now + wait, "error": result.why}
        case Retry():
            return {"state": Outgoing.State.DEAD, "error": f"Tried {row.attempts} times. {result.why}"}
    return {"state": Outgoing.State.DEAD, "error": result.why}


def _settle_lost(now: datetime) -> int:
    """What a worker began to send and never confirmed, because it was killed."""
    return sum(_settle(row, now) for row in _LOST(now=now, before=now - LEASE, after=now + LEASE))


_LOST: Final = Prepared(
    lambda now, before, after: Outgoing.objects.filter(
        Q(claimed_at__lte=before) | Q(claimed_at__gt=after), state=Outgoing.State.SENDING, due_at__lte=now
    )[:100],
    now=datetime,
    before=datetime,
    after=datetime,
)


@transaction.atomic
def _settle(row: Outgoing, now: datetime) -> bool:
    about = _outcome(row, unclear(row, "The worker was stopped while it sent this"), now)
    same = Outgoing.objects.filter(pk=row.pk, state=Outgoing.State.SENDING, claimed_at=row.claimed_at)
    if not same.update(claimed_by="", claimed_at=None, **about):
        return False
    row.state, row.error = about["state"], about["error"]
    note(row, row.state, _FINISHED[row.state].format(row=row, why=row.error), now)
    return True


def _change(row: Outgoing, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))
