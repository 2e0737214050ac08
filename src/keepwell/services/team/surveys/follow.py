"""What an answer asks of colleagues: a task that is due soon, with the comment, and gone when the answer changes."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from keepwell.model.survey_definitions import Group, Survey, SurveyTask, group_of
from keepwell.model.timelines import timeline
from keepwell.playbooks.calendars import work_calendar
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.outbox.texts import calendar_now
from keepwell.services.team.playing.known import look_up
from keepwell.services.team.playing.roles import OWNER, People
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person, SurveyInvitation, Task

PLAY: Final = "survey:"
GROUP_WORDS: Final = {
    "nps": {"low": "Detractor", "middle": "Passive", "high": "Promoter"},
    "csat": {"low": "Dissatisfied", "middle": "Neutral", "high": "Satisfied"},
    "ces": {"low": "Difficult", "middle": "Neutral", "high": "Easy"},
}
_KEEPWELL: Final = Actor("survey")
_PRIORITY: Final = {"low": 1, "middle": 3, "high": 4}
_SEPARATOR: Final = "\n\n"


def play_of(survey: str, group: Group) -> str:
    """The play of the tasks about answers: one open task for each customer, survey and group."""
    return f"{PLAY}{survey}:{group}"[:120]


def group_now(survey: Survey, invitation: SurveyInvitation) -> Group:
    """Where an answer that was given belongs."""
    return group_of(survey.kind, int(invitation.score or 0))


def follow_answer(
    workspace: Workspace, survey: Survey, invitation: SurveyInvitation, before: int | None, now: datetime
) -> None:
    """Open the task of the answer's group; one that an earlier answer of this person opened is gone."""
    group = group_now(survey, invitation)
    if before is not None and (was := group_of(survey.kind, before)) != group:
        _withdraw(invitation, was, now)
    task: SurveyTask | None = getattr(survey.tasks, group)
    if task is not None:
        _open(workspace, survey, task, invitation, group, now)


def follow_comment(survey: Survey, invitation: SurveyInvitation, now: datetime) -> None:
    """Put the comment into the task that the answer opened."""
    play = play_of(invitation.survey, group_now(survey, invitation))
    held = Task.objects.select_for_update()
    task = held.filter(customer_id=invitation.customer_id, play=play, state__in=OPEN_STATES).first()
    if task is not None:
        task.reasons = _reasons(survey, invitation, task.reasons)
        task.version += 1
        task.save(update_fields=["reasons", "version"])


def _open(
    workspace: Workspace,
    survey: Survey,
    about: SurveyTask,
    invitation: SurveyInvitation,
    group: Group,
    now: datetime,
) -> None:
    play = play_of(invitation.survey, group)
    there = Task.objects.select_for_update().filter(
        customer_id=invitation.customer_id, play=play, state__in=OPEN_STATES
    )
    known = there.first()
    if known is not None:
        known.reasons = _reasons(survey, invitation, known.reasons)
        known.version += 1
        known.save(update_fields=["reasons", "version"])
        return
    try:
        with transaction.atomic():
            task = _made(workspace, survey, about, invitation, group, now)
    except IntegrityError:
        # Another answer of the same customer opened it this moment.
        return
    record(
        _KEEPWELL,
        at=now,
        action="task.opened",
        kind="task",
        object_id=task.pk,
        customer_id=task.customer_id,
        summary=f"{task.title}: {task.reasons[0]}",
        after={"due_at": task.due_at.isoformat(), "play": play},
    )


def _made(
    workspace: Workspace,
    survey: Survey,
    about: SurveyTask,
    invitation: SurveyInvitation,
    group: Group,
    now: datetime,
) -> Task:
    known = look_up(workspace)((invitation.customer_id,), ()).get(invitation.customer_id)
    owner = known.owner_email if known else ""
    calendar = work_calendar(calendar_now(workspace), workspace.zone)
    title = about.task.format(company=invitation.company, score=invitation.score)
    return Task.objects.create(
        customer_id=invitation.customer_id,
        company=invitation.company,
        owner_email=owner,
        kind=Task.Kind.SURVEY,
        play=play_of(invitation.survey, group),
        title=title[:255],
        action=(survey.label or invitation.survey)[:255],
        reasons=_reasons(survey, invitation, []),
        notes=about.notes,
        priority=_PRIORITY[group],
        money=known.money if known else None,
        renewal_on=known.renewal_on if known else None,
        opened_on=now.astimezone(ZoneInfo(workspace.zone)).date(),
        opened_at=now,
        due_at=calendar.later(now, timeline(about.within)),
        assignee=_assignee(about.assign_to, owner),
    )


def _assignee(role: str, owner: str) -> Person | None:
    """Nobody where it is the owner's own book: the task goes with the customer when that changes hands."""
    people = People()
    if role == OWNER and owner and people.owner(owner) is not None:
        return None
    return people.of(role, owner)


def _reasons(survey: Survey, invitation: SurveyInvitation, before: list[str]) -> list[str]:
    """This person's answer in the words of today, beside those of others."""
    said = f"“{invitation.comment}”" if invitation.comment else "no comment"
    group = GROUP_WORDS[survey.kind][group_now(survey, invitation)]
    start = f"{group}: {invitation.address} answered "
    line = f"{start}{invitation.score} of {survey.scale[-1]} to “{survey.question}”: {said}"
    return [*(reason for reason in before if not reason.startswith(start)), line]


def _withdraw(invitation: SurveyInvitation, was: Group, now: datetime) -> None:
    """The answer was changed: what nobody has touched since then is no task any more."""
    play = play_of(invitation.survey, was)
    held = Task.objects.select_for_update()
    task = held.filter(customer_id=invitation.customer_id, play=play, state__in=OPEN_STATES).first()
    if task is None or len(task.reasons) > 1 or task.opened_at < now - timedelta(days=60):
        return
    task.state, task.closed_at = Task.State.CANCELLED, now
    task.closed_why = f"The answer was changed to {invitation.score}"
    task.version += 1
    task.save(update_fields=["state", "closed_at", "closed_why", "version"])
    record(
        _KEEPWELL,
        at=now,
        action="task.cancelled",
        kind="task",
        object_id=task.pk,
        customer_id=task.customer_id,
        summary=f"{task.title}: {task.closed_why}",
    )
