"""The beginning of a run: who may enter, who is left alone to compare with, and the first steps."""

from typing import Final

from keepwell.playbooks.entries import Entry, held_out, refusal
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.machine import Machine, Moved
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.playing.desk import Desk
from keepwell.services.team.playing.effects import KEEPWELL
from keepwell.services.team.playing.plays import Kept, keep_version
from keepwell.services.team.playing.writing import columns, write_first
from keepwell.services.team.prepared import Prepared
from keepwell.store.models import Happening, Hold, PlaybookHeldOut, PlaybookRun

TRIGGER: Final = "trigger"
"""In the data of a start: the playbook's own trigger, and no person or other playbook."""
ANYWAY: Final = "anyway"
"""In the data of a start: a person wants it, whatever the trigger says; beside TRIGGER the hold-out counts as ever."""
_RUNS: Final = Prepared(
    lambda playbook, customer: (
        PlaybookRun.objects.filter(playbook=playbook, customer_id=customer)
        .only("started_at", "ended_at")
        .order_by("entry")
    ),
    playbook=str,
    customer=str,
)
_LOST: Final = Prepared(
    lambda customer: Hold.objects.filter(customer_id=customer, kind=Hold.Kind.LOST, ended_on=None).only("pk"),
    customer=str,
)


class StartRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """A playbook that is not started for a customer; the message says why."""


def begin_from(desk: Desk, one: Happening) -> PlaybookRun | None:
    """Start what a happening asks for, when the playbook is still on and the customer may enter."""
    kept = desk.plays.current(one.name)
    if kept is None or one.name not in desk.on:
        return None
    by, automatic = str(one.data.get("by", "")), bool(one.data.get(TRIGGER))
    try:
        anyway = not automatic or bool(one.data.get(ANYWAY))
        return begin(desk, kept, one.customer_id, by=by, compare=automatic, anyway=anyway)
    except StartRefused:
        return None


def begin(
    desk: Desk,
    kept: Kept,
    customer_id: str,
    *,
    by: str,
    compare: bool = False,
    anyway: bool = True,
    who: Actor = KEEPWELL,
) -> PlaybookRun:
    """Start a playbook for a customer that this transaction holds. With `compare` some are left alone.

    `anyway` says that it goes on though its trigger does not hold for the customer.

    Raises StartRefused.
    """
    entries = _entries(kept, customer_id)
    _check(desk, kept, customer_id, entries)
    if compare and held_out(kept.play.name, customer_id, kept.play.playbook.hold_out):
        _hold_out(desk, kept, customer_id)
        raise StartRefused("is left alone, to compare with")
    if (kept.play.name, kept.play.version) not in desk.versions:
        keep_version(kept, desk.now)
    machine, entry = Machine(kept.play), len(entries) + 1

    def first(facts: Facts | None) -> Moved:
        return machine.begin(customer_id, entry, desk.now, facts, asked_for=anyway)

    moved = desk.moved(customer_id, kept, None, first)
    return _begun(desk, kept, customer_id, by, moved, who, compared=compare and kept.play.playbook.hold_out > 0)


def _begun(
    desk: Desk, kept: Kept, customer_id: str, by: str, moved: Moved, who: Actor, *, compared: bool
) -> PlaybookRun:
    state = moved[0]
    run = PlaybookRun.objects.create(
        playbook=kept.play.name,
        version=kept.play.version,
        customer_id=customer_id,
        company=desk.company(customer_id),
        entry=state.entry,
        started_at=state.started_at,
        started_by=by[:255],
        compared=compared,
        **columns(state),
    )
    record(
        who,
        at=desk.now,
        action="playbook.started",
        kind="playbook_run",
        object_id=run.pk,
        customer_id=customer_id,
        summary=f"{kept.label} for {run.company}: started by {by}",
        after={"playbook": run.playbook, "version": run.version, "entry": state.entry},
    )
    write_first(desk, run, moved)
    return run


def _entries(kept: Kept, customer_id: str) -> list[Entry]:
    return [Entry(run.started_at, run.ended_at) for run in _RUNS(playbook=kept.play.name, customer=customer_id)]


def _check(desk: Desk, kept: Kept, customer_id: str, entries: list[Entry]) -> None:
    """Raise StartRefused with what is against it."""
    facts = desk.facts(customer_id)
    if facts is not None and not facts.active:
        raise StartRefused("is no customer any more")
    why = refusal(kept.play.playbook, entries, desk.now, kept.play.calendar)
    if why is not None:
        raise StartRefused(why)
    if _LOST(customer=customer_id):
        raise StartRefused("is marked as lost")
    audience = kept.play.playbook.audience
    if audience is not None and not kept.play.rules.holds(audience, facts or Facts(desk.now.date())):
        raise StartRefused("is not one of those that it is for")


def _hold_out(desk: Desk, kept: Kept, customer_id: str) -> None:
    _, made = PlaybookHeldOut.objects.get_or_create(
        playbook=kept.play.name, customer_id=customer_id, defaults={"at": desk.now}
    )
    if made:
        record(
            KEEPWELL,
            at=desk.now,
            action="playbook.held_out",
            kind="playbook",
            object_id=kept.play.name,
            customer_id=customer_id,
            summary=f"{kept.label}: {desk.company(customer_id)} is left alone, to compare with",
        )
