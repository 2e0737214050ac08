"""Answers: taken once or changed until the survey ends, kept in the canonical data, heard by everybody concerned."""

from datetime import UTC, datetime
from typing import Final

from django.db import transaction

from keepwell.model.problems import DefinitionError
from keepwell.model.survey_definitions import Group, Survey, group_of
from keepwell.playbooks.events import Happened
from keepwell.services.published import NothingPublished
from keepwell.services.team.alerting.hearing import arrived
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.outbox.suppression import MARKETING, SuppressionError, suppress
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.surveys.defined import surveys_of
from keepwell.services.team.surveys.follow import follow_answer, follow_comment
from keepwell.services.team.surveys.links import invitation_in
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.signals.alert_rules import Incident
from keepwell.store.models import CanonicalWrite, Suppression, SurveyInvitation

CUSTOMER: Final = Actor("survey")
LONGEST: Final = 4000
SOURCE: Final = "keepwell"
_TICKET: Final = "ticket:"


class AnswerRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """An answer that is not taken; the message says why."""


def invitation_of(token: str) -> SurveyInvitation | None:
    """The invitation of a signed link; None for what was not signed here."""
    found = invitation_in(token)
    return None if found is None else SurveyInvitation.objects.filter(pk=found).first()


def survey_of(workspace: Workspace, invitation: SurveyInvitation) -> Survey | None:
    """The survey as the model has it now; None when it is gone or another kind of question."""
    found = surveys_of(workspace).get(invitation.survey)
    return found if found is not None and found.kind == invitation.kind else None


@transaction.atomic
def answer(workspace: Workspace, invitation_id: int, score: int, now: datetime) -> SurveyInvitation:
    """Take an answer, or another one instead of it; the same again changes nothing. Raises AnswerRefused."""
    invitation, survey = _open(workspace, invitation_id, now)
    if score not in survey.scale:
        raise AnswerRefused(f"An answer is a number from {survey.scale[0]} to {survey.scale[-1]}.")
    before = invitation.score
    if before == score:
        return invitation
    invitation.score, invitation.answered_at = score, now
    invitation.save(update_fields=["score", "answered_at"])
    keep_answer(invitation, now)
    _tell(workspace, invitation, group_of(survey.kind, score), now)
    follow_answer(workspace, survey, invitation, before, now)
    record(
        CUSTOMER,
        at=now,
        action="survey.answered",
        kind="survey",
        object_id=invitation.survey,
        customer_id=invitation.customer_id,
        summary=f"{invitation.company} answered {score} to “{survey.label or invitation.survey}”",
        before=None if before is None else {"score": before},
        after={"score": score, "kind": invitation.kind, "invitation": invitation.pk},
    )
    return invitation


@transaction.atomic
def comment(workspace: Workspace, invitation_id: int, text: str, now: datetime) -> SurveyInvitation:
    """Take what somebody says about the own answer, or take it back. Raises AnswerRefused."""
    invitation, survey = _open(workspace, invitation_id, now)
    said = text.strip()[:LONGEST]
    if invitation.score is None:
        raise AnswerRefused("Choose a number first.")
    if said == invitation.comment:
        return invitation
    invitation.comment, invitation.commented_at = said, now
    invitation.save(update_fields=["comment", "commented_at"])
    keep_answer(invitation, now)
    follow_comment(survey, invitation, now)
    record(
        CUSTOMER,
        at=now,
        action="survey.commented",
        kind="survey",
        object_id=invitation.survey,
        customer_id=invitation.customer_id,
        summary=f"{invitation.company} commented on “{survey.label or invitation.survey}”",
        after={"invitation": invitation.pk},
    )
    return invitation


def opt_out(invitation: SurveyInvitation, now: datetime) -> None:
    """Somebody does not want to be asked again: no surveys and no news, what concerns the contract still arrives."""
    try:
        why = Suppression.Why.UNSUBSCRIBED
        suppress(CUSTOMER, invitation.address, why=why, scope=MARKETING, now=now, note="Wants no more surveys")
    except SuppressionError:
        # An address that is none gets nothing anyhow.
        return


def keep_answer(invitation: SurveyInvitation, now: datetime) -> None:
    """The answer as a canonical row: metrics and the timeline see it from the next run on."""
    answered = invitation.answered_at or now
    ticket = invitation.about.removeprefix(_TICKET) if invitation.about.startswith(_TICKET) else None
    row = {
        "response_id": f"{SOURCE}-survey-{invitation.pk}",
        "customer_id": invitation.customer_id,
        "person_id": invitation.person_id or None,
        "ticket_id": ticket,
        "survey": invitation.kind,
        "score": invitation.score,
        "comment": invitation.comment,
        "sent_at": _utc(invitation.sent_at),
        "responded_at": _utc(answered),
        "source": SOURCE,
        "source_id": f"survey-{invitation.pk}",
        "synced_at": _utc(now),
    }
    kept = {name: value for name, value in row.items() if value is not None}
    CanonicalWrite.objects.create(table="survey_responses", row=kept, made_at=now)


def _open(workspace: Workspace, invitation_id: int, now: datetime) -> tuple[SurveyInvitation, Survey]:
    """The invitation, held until the transaction ends, with its survey. Raises AnswerRefused."""
    invitation = SurveyInvitation.objects.select_for_update().get(pk=invitation_id)
    survey = survey_of(workspace, invitation)
    if survey is None or now > invitation.expires_at:
        raise AnswerRefused("This survey has ended.")
    return invitation, survey


def _tell(workspace: Workspace, invitation: SurveyInvitation, group: Group, now: datetime) -> None:
    """Runs of playbooks wait for a click; alerts and playbooks hear the event."""
    # Each change is told, also one back to what was said first: somebody has to hear of it again.
    customer, key = invitation.customer_id, f"survey:{invitation.pk}:{invitation.score}:{_utc(now)}"
    happened(customer, Happened.RESPONSE, name="click", key=key, at=now)
    properties = {
        "survey": invitation.survey,
        "kind": invitation.kind,
        "group": group,
        "score": invitation.score,
        "comment": invitation.comment or None,
    }
    names = (f"{invitation.kind}_answered", "survey_answered")
    try:
        arrived(workspace, [Incident(customer, names, now, key, properties)], now)
    except (NothingPublished, DefinitionError, WorkspaceError):
        # Nobody is known yet whom it could concern, or no rule can be read: the answer counts all the same.
        return


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
