"""What the daily run does about surveys: asks, reminds, and says what the week would bring of those that are off."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction

from keepwell.model.survey_definitions import OnDate, Survey
from keepwell.reporting.reading import read_day
from keepwell.services.team.named_values import remember
from keepwell.services.team.outbox.pen import Pen
from keepwell.services.team.outbox.recipients import Addressee, account_of, recipients
from keepwell.services.team.outbox.suppression import MARKETING, suppressed
from keepwell.services.team.surveys.asking import Asker, outgoing_of
from keepwell.services.team.surveys.defined import surveys_of, surveys_on
from keepwell.services.team.surveys.occasions import Occasion, Seen, occasions
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outgoing, SurveyInvitation
from keepwell.warehouse.storage import Warehouse

WEEK: Final = "surveys_week"
"""What each survey would have asked in the seven days before the last run."""
_LEFT: Final = (Outgoing.State.SENT, Outgoing.State.REHEARSED)


@dataclass(frozen=True)
class SurveysSent:
    """What a day did."""

    asked: int = 0
    reminded: int = 0


def surveys_from_day(workspace: Workspace, warehouse: Warehouse, as_of: date, now: datetime) -> SurveysSent:
    """Ask about what happened until a published day, and remind; a day again asks nobody twice."""
    surveys = surveys_of(workspace)
    if not surveys:
        return SurveysSent()
    on, asked, week = surveys_on(), 0, dict[str, Any]()
    seen = _seen(workspace, warehouse, surveys.values(), as_of)
    for name, survey in surveys.items():
        found, asker = list(occasions(seen, survey)), Asker(workspace, name, survey, now)
        if name in on:
            asked += asker.ask(_since(found, on[name], seen)).asked
        else:
            would = asker.would_ask(found)
            week[name] = {"asked": would.asked, "left_out": dict(Counter(would.left_out))}
    said = {"as_of": as_of.isoformat(), "surveys": week}
    remember(WEEK, said)
    return SurveysSent(asked, remind(workspace, now))


def remind(workspace: Workspace, now: datetime) -> int:
    """Ask once more whoever has not answered; one reminder, and none for a survey that was switched off."""
    surveys, on = surveys_of(workspace), surveys_on()
    open_ones = SurveyInvitation.objects.filter(
        answered_at=None, reminded_at=None, expires_at__gt=now, survey__in=on, outgoing__state__in=_LEFT
    )
    done = 0
    for invitation in open_ones.order_by("pk"):
        survey = surveys.get(invitation.survey)
        if survey is None or survey.kind != invitation.kind or survey.remind_after_days is None:
            continue
        if now >= invitation.sent_at + timedelta(days=survey.remind_after_days):
            done += _remind(workspace, survey, invitation, now)
    return done


@transaction.atomic
def _remind(workspace: Workspace, survey: Survey, invitation: SurveyInvitation, now: datetime) -> bool:
    """Once, whoever else is about it; not to those who do not want to be asked any more, or have left."""
    mine = SurveyInvitation.objects.filter(pk=invitation.pk, reminded_at=None, answered_at=None)
    account = account_of(workspace, invitation.customer_id, ())
    if account is None or not account.facts.active or suppressed(invitation.address, MARKETING):
        return False
    people = recipients(workspace, account, "all_users")
    found = (one for one in people if one.address.lower() == invitation.address)
    to = next(found, None if invitation.person_id else Addressee(invitation.address))
    if to is None or to.unsubscribed or not mine.update(reminded_at=now):
        return False
    pen = Pen(workspace, account, counted=False)
    outgoing_of(pen, survey, None, to, invitation, now, again=True)
    return True


def _seen(workspace: Workspace, warehouse: Warehouse, surveys: Any, as_of: date) -> Seen:
    dates = {trigger.date for survey in surveys for trigger in survey.on if isinstance(trigger, OnDate)}
    columns = {"status", *dates, *(f"m.{name}" for name in dates)}
    return Seen(read_day(workspace.snapshots, as_of, columns), warehouse, ZoneInfo(workspace.zone))


def _since(found: list[Occasion], switched_on: datetime, seen: Seen) -> list[Occasion]:
    """What happened before the day on which the survey was switched on is no occasion."""
    first = seen.moment(switched_on.astimezone(seen.zone).date())
    return [one for one in found if one.at >= first]
