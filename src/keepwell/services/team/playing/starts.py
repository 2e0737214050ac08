"""What starts playbooks: a published day, an event, a person; and what a new day means for those under way."""

from datetime import datetime

from django.db import transaction

from keepwell.model.definitions import Model
from keepwell.model.playbook_definitions import EventTrigger
from keepwell.playbooks.events import Event, Happened
from keepwell.playbooks.machine import Machine
from keepwell.playbooks.state import state_from
from keepwell.services.published import NothingPublished
from keepwell.services.team.audit import Actor, written_together
from keepwell.services.team.here import workspace
from keepwell.services.team.outbox.compose import compose_message
from keepwell.services.team.playing.beginning import TRIGGER, StartRefused, begin
from keepwell.services.team.playing.days import DayStarted, start_from_day
from keepwell.services.team.playing.desk import Compose, desk_of
from keepwell.services.team.playing.happenings import START, happened
from keepwell.services.team.playing.holding import hold_customer
from keepwell.services.team.playing.known import Look
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.team.playing.switches import switched_on
from keepwell.services.team.playing.writing import write_move
from keepwell.services.team.task_days import published_model
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import PlaybookRun


def start_by_hand(
    who: Actor,
    playbook: str,
    customer_id: str,
    now: datetime,
    *,
    look: Look | None = None,
    compose: Compose = compose_message,
) -> PlaybookRun:
    """Start a playbook for a customer that the actor may see; it need not be switched on.

    Raises WorkspaceError when there is no such playbook, StartRefused when the customer may not start it.
    """
    desk = desk_of(workspace(), now, look=look, compose=compose)
    kept = desk.plays.current(playbook)
    if kept is None:
        raise WorkspaceError(f"There is no playbook '{playbook}' in the model.")
    desk.read([customer_id], ())
    with transaction.atomic(), written_together():
        hold_customer(customer_id, wait=True)
        return begin(desk, kept, customer_id, by=f"{_name(who)}, by hand", who=who)


def stop_run(who: Actor, run: PlaybookRun, now: datetime) -> PlaybookRun:
    """Stop a run: nothing that it still waits for happens. One that has ended stays as it is."""
    desk = desk_of(workspace(), now)
    desk.read([run.customer_id], [(run.playbook, run.version)])
    with transaction.atomic(), written_together():
        hold_customer(run.customer_id, wait=True)
        fresh = PlaybookRun.objects.get(pk=run.pk)
        kept = desk.plays.of_run(fresh)
        event = Event(Happened.CANCELLED, name=_name(who))
        write_move(desk, fresh, Machine(kept.play).step(state_from(fresh.state), event, desk.now), who)
    return fresh


def start_from_event(here: Workspace, customer_id: str, event_name: str, key: str, at: datetime, now: datetime) -> int:
    """Ask for the playbooks that an event starts, in the caller's transaction; the next turn begins them. How many.

    While the model cannot be read, by that of the published day: an event comes only once.
    """
    model = plays_of(here).model or _published(here)
    if model is None:
        return 0
    called = {
        n for n, p in model.playbooks.items() if isinstance(p.trigger, EventTrigger) and p.trigger.event == event_name
    }
    wanted = sorted(called & switched_on()) if called else []
    for name in wanted:
        data = {"by": f"event {event_name}", TRIGGER: True}
        happened(customer_id, START, name=name, key=f"event:{name}:{key}", at=at, data=data)
    return len(wanted)


def _published(here: Workspace) -> Model | None:
    try:
        return published_model(here)
    except (NothingPublished, WorkspaceError):
        return None


def _name(who: Actor) -> str:
    return who.person.shown_name if who.person is not None else who.name


__all__ = ["DayStarted", "StartRefused", "start_by_hand", "start_from_day", "start_from_event", "stop_run"]
