"""Runs of playbooks and questions as rows, for tests of what shows them."""

from datetime import datetime, timedelta
from typing import Any

from keepwell.model.definitions import Model
from keepwell.playbooks.events import Event, Happened
from keepwell.playbooks.machine import Machine
from keepwell.playbooks.play import ready_play
from keepwell.playbooks.state import State
from keepwell.services.published import PortfolioRow
from keepwell.store.models import Approval, PlaybookEffect, PlaybookRun
from tests.web import NOW


def run_of(model: Model, playbook: str, row: PortfolioRow, *, until: str = "", at: datetime = NOW) -> PlaybookRun:
    """A run that began, and went on with its timers until it stands at the step `until` or has ended."""
    machine = Machine(ready_play(model, playbook, "UTC"))
    entry = PlaybookRun.objects.filter(playbook=playbook, customer_id=row.customer_id).count() + 1
    state, effects = machine.begin(row.customer_id, entry, at)
    while until and not state.ended and not (state.step == until and state.begun):
        assert state.waits_until is not None
        state, more = machine.step(state, Event(Happened.TIMER, timer=state.timer), state.waits_until)
        effects = (*effects, *more)
    run = PlaybookRun.objects.create(
        playbook=playbook,
        version=machine.play.version,
        customer_id=row.customer_id,
        company=row.name,
        entry=entry,
        started_at=at,
        started_by="Somebody, by hand",
        **_columns(state),
    )
    for effect in effects:
        if str(effect.kind) != "timer":
            PlaybookEffect.objects.create(
                key=effect.key,
                run=run,
                kind=str(effect.kind),
                step=effect.step,
                at=effect.at,
                due=effect.due,
                details=dict(effect.details),
            )
    return run


def _columns(state: State) -> dict[str, Any]:
    return {
        "state": state.as_dict(),
        "step": state.step,
        "phase": state.phase,
        "ended_at": state.ended_at,
        "reason": state.reason,
        "success": state.success,
    }


def question_of(run: PlaybookRun, row: PortfolioRow, **fields: Any) -> Approval:
    """The question that a run waits for."""
    told = {
        "key": f"asked-{run.pk}",
        "kind": "playbook",
        "run": run,
        "customer_id": row.customer_id,
        "company": row.name,
        "owner_email": (row.owner_email or "").lower(),
        "question": f"Offer {row.name} a pause of up to 3 months?",
        "asked_role": "manager",
        "asked_by": "Playbook “Revenue at risk”",
        "asked_at": NOW,
        "due_at": NOW + timedelta(days=1),
    }
    return Approval.objects.create(**{**told, **fields})
