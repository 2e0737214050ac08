"""The surveys of the model, and which of them are switched on, since when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from keepwell.model.problems import DefinitionError
from keepwell.model.survey_definitions import Survey
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.named_values import remembered
from keepwell.services.team.outbox.queue import OutboxError, leave
from keepwell.services.team.outbox.texts import model_now
from keepwell.services.team.task_days import published_model
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import Outgoing, WorkspaceSetting

SETTING: Final = "surveys_on"
"""The surveys that are switched on, each with the moment from which on it looks."""
_OFF: Final = "The survey was switched off"
_NOT_LEFT: Final = (Outgoing.State.WAITING, Outgoing.State.FAILED)


def surveys_of(workspace: Workspace) -> Mapping[str, Survey]:
    """The surveys of the model; those of the published day while somebody's mistake makes it unreadable."""
    try:
        return model_now(workspace).surveys
    except (DefinitionError, WorkspaceError):
        return published_model(workspace).surveys


def surveys_on() -> dict[str, datetime]:
    """The surveys that may be sent, and since when; one query."""
    return {name: datetime.fromisoformat(since) for name, since in remembered(SETTING).items()}


@transaction.atomic
def switch_survey(who: Actor, workspace: Workspace, name: str, on: bool, now: datetime) -> int:
    """Let a survey be sent from now on, or no longer; how many invitations that waited were taken back.

    Raises WorkspaceError when the model has none of that name to switch on.
    """
    survey = surveys_of(workspace).get(name)
    if on and survey is None:
        raise WorkspaceError(f"There is no survey '{name}' in the model.")
    setting = WorkspaceSetting.objects.select_for_update().get_or_create(name=SETTING, defaults={"value": {}})[0]
    if (name in setting.value) == on:
        return 0
    kept = {other: since for other, since in setting.value.items() if other != name}
    setting.value = kept | ({name: now.isoformat()} if on else {})
    setting.save(update_fields=["value"])
    taken_back = 0 if on else _take_back(who, name, now)
    label = (survey.label if survey else "") or name
    record(
        who,
        at=now,
        action="survey.switched_on" if on else "survey.switched_off",
        kind="survey",
        object_id=name,
        summary=f"{label}: switched {'on' if on else 'off'}",
        before={"on": not on},
        after={"on": on},
    )
    return taken_back


def _take_back(who: Actor, name: str, now: datetime) -> int:
    """What was not sent yet, reminders included, is not sent any more."""
    waiting = Outgoing.objects.filter(key__startswith="survey:", payload__survey=name, state__in=_NOT_LEFT)
    return sum(_left(who, number, now) for number in list(waiting.values_list("pk", flat=True)))


def _left(who: Actor, number: int, now: datetime) -> bool:
    try:
        leave(who, number, _OFF, now)
    except OutboxError:
        # A worker is just sending it.
        return False
    return True
