"""Messages of playbooks that ask: `{{ link.survey }}` leads to an invitation of their own."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from keepwell.model.definitions import Model
from keepwell.model.message_definitions import Message
from keepwell.model.message_text import liquid_uses
from keepwell.model.survey_definitions import OnPeriod
from keepwell.services.team.outbox.recipients import Account, Addressee
from keepwell.services.team.outbox.suppression import MARKETING, plain_address, suppressed
from keepwell.services.team.playing.happenings import short_key
from keepwell.services.team.surveys.links import survey_url
from keepwell.services.team.surveys.pauses import one_after_the_other, paused
from keepwell.store.models import SurveyInvitation

FIELD: Final = "link.survey"


def asks(message: Message) -> bool:
    """Whether a message names the link to a survey. Raises LiquidError."""
    texts = (message.text, message.link, message.button)
    return any(use.kind == "field" and use.name == FIELD for text in texts for use in liquid_uses(text))


def survey_in_messages(model: Model) -> str:
    """The survey that messages ask: the NPS that is repeated, else the first NPS; empty when there is none."""
    found = [name for name, survey in model.surveys.items() if survey.kind == "nps"]
    repeated = (n for n in found if any(isinstance(trigger, OnPeriod) for trigger in model.surveys[n].on))
    return next(repeated, found[0] if found else "")


@transaction.atomic
def survey_link(model: Model, account: Account, to: Addressee, key: str, now: datetime) -> str:
    """The link of one message to one person, always the same; empty for whom it must not ask."""
    name = survey_in_messages(model)
    if not name or not to.address:
        return ""
    survey, known = model.surveys[name], short_key(f"message:{key}")
    invitation = SurveyInvitation.objects.filter(key=known).first()
    if invitation is None:
        one_after_the_other()
        if to.unsubscribed or suppressed(to.address, MARKETING) or paused(to.address, now, survey.pause_days):
            return ""
        invitation = SurveyInvitation.objects.create(
            key=known,
            survey=name,
            kind=survey.kind,
            trigger="Message of a playbook",
            customer_id=account.customer_id,
            company=account.company[:255],
            person_id=to.person_id,
            address=plain_address(to.address),
            sent_at=now,
            expires_at=now + timedelta(days=survey.expires_after_days),
        )
    return survey_url(invitation.pk)


def belongs_to(key: str, outgoing_id: int) -> None:
    """Say which message carries an invitation."""
    SurveyInvitation.objects.filter(key=short_key(f"message:{key}")).update(outgoing_id=outgoing_id)
