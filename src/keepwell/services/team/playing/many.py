"""A playbook for many customers at once: a campaign, or those who were in a segment before it was switched on."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from keepwell.services.team.audit import Actor, record
from keepwell.services.team.playing.beginning import ANYWAY, TRIGGER
from keepwell.services.team.playing.happenings import START, happened_all, happening
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.team.playing.switches import switched_on
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import PlaybookRun


def under_way(playbook: str) -> set[str]:
    """The customers who are in a playbook now."""
    going = PlaybookRun.objects.filter(playbook=playbook, ended_at__isnull=True)
    return set(going.values_list("customer_id", flat=True))


@transaction.atomic
def start_for_many(
    who: Actor, here: Workspace, playbook: str, customers: Sequence[str], group: str, now: datetime
) -> int:
    """Ask for a playbook for customers who are not in it; the worker's next turn begins it. For how many.

    Whatever its trigger says of them. Who may not enter yet does not, and the share that is held out is left alone.
    Raises WorkspaceError when it is not switched on.
    """
    kept = plays_of(here).current(playbook)
    if kept is None or playbook not in switched_on():
        raise WorkspaceError("Only a playbook that is switched on starts for many at once. Switch it on first.")
    there = under_way(playbook)
    wanted = [customer for customer in dict.fromkeys(customers) if customer not in there]
    name = who.person.shown_name if who.person is not None else who.name
    data = {"by": f"{name}, for {group}"[:255], TRIGGER: True, ANYWAY: True}
    key = f"many:{playbook}:{now.isoformat()}"
    happened_all([happening(c, START, name=playbook, key=f"{key}:{c}", at=now, data=data) for c in wanted])
    record(
        who,
        at=now,
        action="playbook.started_for_many",
        kind="playbook",
        object_id=playbook,
        summary=f"{kept.label}: started for {len(wanted):,} customers of {group}",
        after={"group": group, "customers": len(wanted)},
    )
    return len(wanted)
