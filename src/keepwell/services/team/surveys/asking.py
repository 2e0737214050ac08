"""Asking: an occasion becomes an invitation and a message in the outbox, once, unless something stands against it."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.db import transaction
from liquid.exceptions import LiquidError

from keepwell.model.message_definitions import Message
from keepwell.model.survey_definitions import Survey
from keepwell.model.timelines import timeline
from keepwell.playbooks.calendars import WorkCalendar, work_calendar
from keepwell.services.published import customer_people
from keepwell.services.published.identities import people_by_identity
from keepwell.services.team.outbox.compose import used
from keepwell.services.team.outbox.pen import Pen
from keepwell.services.team.outbox.queue import put
from keepwell.services.team.outbox.recipients import Account, Addressee, account_of, recipients
from keepwell.services.team.outbox.suppression import MARKETING, plain_address, suppressed
from keepwell.services.team.outbox.texts import calendar_now, model_now
from keepwell.services.team.playing.happenings import short_key
from keepwell.services.team.surveys.letters import key_of, words_of
from keepwell.services.team.surveys.occasions import Occasion
from keepwell.services.team.surveys.pauses import one_after_the_other, paused
from keepwell.services.workspace import Workspace
from keepwell.store.models import Channel, Outgoing, SurveyInvitation

LOOKED_AT: Final = 30
NOBODY: Final = "nobody to ask"
PAUSED: Final = "asked not long ago"
REFUSED: Final = "do not want to be asked"


@dataclass(frozen=True)
class Asked:
    """What became of occasions: how many people were asked, and why others were not."""

    asked: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Asker:
    """One survey about to be sent."""

    workspace: Workspace
    name: str
    survey: Survey
    now: datetime

    @cached_property
    def _calendar(self) -> WorkCalendar:
        return work_calendar(calendar_now(self.workspace), self.workspace.zone)

    @cached_property
    def _message(self) -> Message | None:
        return model_now(self.workspace).messages.get(self.survey.message) if self.survey.message else None

    @cached_property
    def _names(self) -> frozenset[str] | None:
        return frozenset() if self._message is None else used(self._message)

    def ask(self, found: Iterable[Occasion]) -> Asked:
        """Ask whoever may be asked; what was asked already is no news and is counted nowhere."""
        asked, left_out = 0, Counter[str]()
        for occasion in self._new(found):
            done, why = self._ask(occasion)
            asked += done
            left_out.update(why)
        return Asked(asked, left_out)

    def would_ask(self, found: Sequence[Occasion]) -> Asked:
        """About what `ask` would do, without doing it; of very many occasions some stand for all."""
        step = max(1, math.ceil(len(found) / LOOKED_AT))
        asked, left_out, met = 0, Counter[str](), set[str]()
        for occasion in found[::step]:
            for to in self._people(occasion, self._account(occasion)) or (None,):
                against = NOBODY if to is None else PAUSED if to.address.lower() in met else self._against(occasion, to)
                if against:
                    left_out[against] += 1
                elif to is not None:
                    asked += 1
                    met.add(to.address.lower())
        return Asked(asked * step, Counter({why: count * step for why, count in left_out.items()}))

    def _new(self, found: Iterable[Occasion]) -> Iterator[Occasion]:
        every = {self._key(one): one for one in found}
        known = SurveyInvitation.objects.filter(survey=self.name, key__in=[_for(key, 0) for key in every])
        there = set(known.values_list("key", flat=True))
        yield from (one for key, one in every.items() if _for(key, 0) not in there)

    def _key(self, occasion: Occasion) -> str:
        return f"{self.name}:{occasion.name}"

    def _account(self, occasion: Occasion) -> Account | None:
        account = account_of(self.workspace, occasion.customer_id, self._names)
        return account if account is not None and account.facts.active else None

    def _people(self, occasion: Occasion, account: Account | None) -> tuple[Addressee, ...]:
        """Who it happened to, else whoever the survey is for."""
        if account is None:
            return ()
        if occasion.person_id:
            people = recipients(self.workspace, account, "all_users")
            ids = {one.person_id for one in customer_people(self.workspace, account.customer_id)}
            mine = tuple(one for one in people if one.person_id == occasion.person_id)
            if mine or occasion.person_id in ids:
                return mine
        return self._who_did(occasion, account) or recipients(self.workspace, account, self.survey.to)

    def _who_did(self, occasion: Occasion, account: Account) -> tuple[Addressee, ...]:
        """The person who did it in the product, if it is one whom we know and may write to."""
        known = people_by_identity(self.workspace, occasion.users)
        ids = [known[user] for user in occasion.users if user in known]
        if not ids:
            return ()
        people = recipients(self.workspace, account, "all_users")
        found = (one for one in people if one.person_id == ids[0] and not one.unsubscribed)
        return tuple(one for one in found if not suppressed(one.address, MARKETING))[:1]

    def _sent_at(self, occasion: Occasion) -> datetime:
        """The delay counts from what happened, also when that was heard of late."""
        after = self._calendar.later(occasion.at, timeline(self.survey.delay)) if self.survey.delay else self.now
        return max(self.now, after)

    def _against(self, occasion: Occasion, to: Addressee) -> str:
        """Why somebody is not asked; empty when nothing stands against it."""
        if to.unsubscribed or suppressed(to.address, MARKETING):
            return REFUSED
        return PAUSED if paused(to.address, self._sent_at(occasion), self.survey.pause_days) else ""

    @transaction.atomic
    def _ask(self, occasion: Occasion) -> tuple[int, list[str]]:
        one_after_the_other()
        account = self._account(occasion)
        people = self._people(occasion, account)
        if account is None or not people:
            return 0, [NOBODY]
        why, asked = [], 0
        pen = Pen(self.workspace, account, counted=False)
        for number, to in enumerate(people):
            against = self._against(occasion, to)
            if against:
                why.append(against)
            else:
                asked += self._invite(occasion, pen, to, _for(self._key(occasion), number if len(people) > 1 else 0))
        return asked, why

    def _invite(self, occasion: Occasion, pen: Pen, to: Addressee, key: str) -> bool:
        sent_at = self._sent_at(occasion)
        invitation, made = SurveyInvitation.objects.get_or_create(
            key=key,
            defaults={
                "survey": self.name,
                "kind": self.survey.kind,
                "trigger": occasion.trigger[:120],
                "customer_id": pen.account.customer_id,
                "company": pen.account.company[:255],
                "person_id": to.person_id,
                "address": plain_address(to.address),
                "about": (f"ticket:{occasion.ticket_id}" if occasion.ticket_id else occasion.about)[:255],
                "sent_at": sent_at,
                "expires_at": sent_at + timedelta(days=self.survey.expires_after_days),
            },
        )
        if made:
            invitation.outgoing = outgoing_of(pen, self.survey, self._message, to, invitation, self.now)
            invitation.save(update_fields=["outgoing"])
        return made


def outgoing_of(
    pen: Pen,
    survey: Survey,
    message: Message | None,
    to: Addressee,
    invitation: SurveyInvitation,
    now: datetime,
    *,
    again: bool = False,
) -> Outgoing:
    """The message of an invitation, or its reminder, in the outbox; one that cannot be written was given up."""
    about: dict[str, Any] = {
        "key": key_of(invitation.pk, again=again),
        "channel": "email",
        "audience": Channel.Audience.CUSTOMER,
        "purpose": "service",
        "customer_id": invitation.customer_id,
        "company": invitation.company,
        "address": to.address,
        "to_name": to.name,
        "person_id": to.person_id,
        "message": survey.message or "",
        "payload": {"survey": invitation.survey, "invitation": invitation.pk},
    }
    try:
        words = words_of(pen, survey, message, to, invitation.pk, again=again)
    except LiquidError as error:
        why = f"The message “{survey.message}” cannot be filled in: {error}"
        return put(now, **about, state=Outgoing.State.DEAD, subject=survey.question, error=why)
    sender = pen.sender(survey.sender)
    return put(
        now,
        **about,
        due_at=now if again else invitation.sent_at,
        sender={name: sender[name] for name in ("name", "email", "title")},
        subject=words.subject,
        text=words.text,
        html=words.html,
    )


def _for(key: str, number: int) -> str:
    return short_key(f"{key}:{number}")
