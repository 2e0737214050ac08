"""Effects for colleagues: tasks, words, and questions that wait for a yes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from keepwell.model.definitions import Model
from keepwell.model.playbook_definitions import EnteredTrigger, SignalTrigger
from keepwell.model.timelines import timeline
from keepwell.services.team.outbox.queue import put
from keepwell.services.team.playing.roles import OWNER
from keepwell.services.team.playing.wish import Result, Wish
from keepwell.services.team.reasons import segment_priority, signal_condition
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.services.team.wanted import TROUBLE_COLORS
from keepwell.store.models import Approval, Channel, Person, Task

WITHIN: Final = "1 business day"
"""When a task is due where its step does not say."""
_PRIORITIES: Final = {"critical": 1, "high": 2, "medium": 3}
_OTHERWISE: Final = 4


def task(wish: Wish) -> tuple[Result, str]:
    """A task; an open one of the same customer that does the same is linked instead."""
    play = str(wish.effect.details["play"])[:120]
    there = _open_task(wish, play)
    if there is None:
        try:
            with transaction.atomic():
                made = _task(wish, play)
            return {"task": made.pk}, f"task “{made.title}”"
        except IntegrityError:
            there = Task.objects.get(customer_id=wish.run.customer_id, play=play, state__in=OPEN_STATES)
    given = _add(wish, there, play)
    return {"task": there.pk, "linked": True}, f"task “{there.title}” is open already{given}"


def _add(wish: Wish, there: Task, play: str) -> str:
    """What the step says goes with the task that is there, where nobody wrote anything yet; whom it was given to.

    A task that is the step's own, and that nobody has touched, goes to whom the step names.
    """
    notes, points = str(wish.effect.details.get("notes", "")), wish.effect.details.get("checklist", ())
    changed: dict[str, Any] = {}
    if notes and not there.notes:
        changed["notes"] = notes
    if points and not there.checklist:
        changed["checklist"] = [{"text": text, "done": False} for text in points]
    role, free = str(wish.effect.details["assign_to"]), there.assignee_id is None and there.version == 1
    person = wish.person(role) if role != OWNER and free and there.play == play else None
    if person is not None:
        changed |= {"assignee": person, "version": there.version + 1}
    if changed:
        Task.objects.filter(pk=there.pk).update(**changed)
    return f"; given to {person.shown_name}" if person is not None else ""


def _open_task(wish: Wish, play: str) -> Task | None:
    """The open task of the play. Where the play is a signal's, a segment's task that answers the signal does, too."""
    there = Task.objects.filter(customer_id=wish.run.customer_id, state__in=OPEN_STATES)
    same, model = there.filter(play=play).first(), wish.desk.plays.model
    if same is not None or model is None or play not in model.signals:
        return same
    covering = there.filter(kind=Task.Kind.SEGMENT).order_by("pk")
    return next((one for one in covering if signal_condition(play) in one.conditions), None)


def _task(wish: Wish, play: str) -> Task:
    details, known = wish.effect.details, wish.known
    return Task.objects.create(
        customer_id=wish.run.customer_id,
        company=wish.run.company,
        owner_email=wish.owner_email,
        kind=Task.Kind.PLAYBOOK,
        play=play,
        title=str(details["title"])[:255],
        action=wish.kept.label[:255],
        segment=known.segment if known else "",
        reasons=[f"Playbook “{wish.kept.label}”: {wish.run.started_by}"],
        conditions=[],
        notes=str(details.get("notes", "")),
        checklist=[{"text": text, "done": False} for text in details.get("checklist", ())],
        priority=_priority(wish),
        money=known.money if known else None,
        renewal_on=known.renewal_on if known else None,
        opened_on=wish.today,
        opened_at=wish.now,
        due_at=_due(wish),
        assignee=_assignee(wish, str(details["assign_to"])),
    )


def _assignee(wish: Wish, role: str) -> Person | None:
    """Nobody where it is the owner's own book: the task goes with the customer when that changes hands."""
    person = wish.person(role)
    own = role == OWNER and person is not None and wish.owner_email in person.owner_emails
    return None if own or (role == OWNER and not wish.owner_email) else person


def _due(wish: Wish) -> datetime:
    return wish.effect.due or wish.kept.play.calendar.later(wish.now, timeline(WITHIN))


def _priority(wish: Wish) -> int:
    """As urgent as what started the playbook: its signal's severity, or the place of its segment in trouble."""
    trigger, model = wish.kept.play.playbook.trigger, wish.desk.plays.model
    if model is None:
        return _OTHERWISE
    if isinstance(trigger, EnteredTrigger) and trigger.segment_entered in model.segments:
        place = segment_priority(model, trigger.segment_entered)
        return place if model.segments[trigger.segment_entered].color in TROUBLE_COLORS else max(place, _OTHERWISE)
    return _of_signal(model, trigger.signal) if isinstance(trigger, SignalTrigger) else _OTHERWISE


def _of_signal(model: Model, name: str) -> int:
    signal = model.signals.get(name)
    return _PRIORITIES.get(signal.severity, _OTHERWISE) if signal is not None else _OTHERWISE


def notify(wish: Wish) -> tuple[Result, str]:
    """A word to a colleague, by the channel that the step names."""
    details, text = wish.effect.details, str(wish.effect.details["text"])
    role, channel = str(details["to"]), str(details["channel"])
    person = wish.person(role)
    if person is None and channel in ("workspace", "email"):
        return {"refused": f"nobody is {role.replace('_', ' ')}"}, f"nobody is {role}, so nobody was told: {text}"
    row = put(
        wish.now,
        key=wish.effect.key,
        channel=channel,
        audience=Channel.Audience.INTERNAL,
        purpose="notice",
        customer_id=wish.run.customer_id,
        company=wish.run.company,
        run=wish.run,
        step=wish.effect.step[:120],
        address=person.email if person else "",
        to_name=person.shown_name if person else "",
        subject=f"{wish.kept.label}: {wish.run.company}"[:500],
        text=text,
        payload=_payload(wish, role, person),
    )
    return {"outbox": [row.pk]}, f"told {person.shown_name if person else channel}: {text}"


def _payload(wish: Wish, role: str, person: Person | None) -> Mapping[str, Any]:
    due = wish.effect.due
    return {
        "playbook": wish.run.playbook,
        "role": role,
        "person": person.pk if person else None,
        "within": due.isoformat() if due else None,
    }


def approval(wish: Wish) -> tuple[Result, str]:
    """A question that the run waits for."""
    question, role = str(wish.effect.details["question"]), str(wish.effect.details["by"])
    made = Approval.objects.create(
        key=wish.effect.key,
        kind="playbook",
        run=wish.run,
        customer_id=wish.run.customer_id,
        company=wish.run.company,
        owner_email=wish.owner_email,
        question=question[:500],
        asked_role=role,
        asked_by=f"Playbook “{wish.kept.label}”"[:255],
        asked_at=wish.now,
        due_at=wish.effect.due,
    )
    return {"approval": made.pk}, f"asks {role}: {question}"
